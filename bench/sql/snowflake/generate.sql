-- The benchmarks' table: the same 10 columns as in PostgreSQL.
create table users as
select g as id,
       'user' || g || '@example.com' as email,
       'First' || (g % 997) as first_name,
       'Last' || (g % 4999) as last_name,
       ((g % 100000) / 7.0)::number(12, 2) as revenue,
       g % 500 as seats,
       g % 10007 as logins,
       g % 3 = 0 as active,
       dateadd(second, g, '2024-01-01 00:00:00'::timestamp_ntz) as signed_up_at,
       dateadd(second, g, '2026-01-01 00:00:00'::timestamp_ntz) as updated_at
from (select row_number() over (order by null) as g from table(generator(rowcount => :rows))) series
