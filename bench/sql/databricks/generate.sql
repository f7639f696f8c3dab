-- The benchmarks' table: the same 10 columns as in PostgreSQL.
create table users as
select id,
       concat('user', id, '@example.com') as email,
       concat('First', id % 997) as first_name,
       concat('Last', id % 4999) as last_name,
       cast((id % 100000) / 7.0 as decimal(12, 2)) as revenue,
       cast(id % 500 as int) as seats,
       cast(id % 10007 as int) as logins,
       id % 3 = 0 as active,
       timestampadd(second, cast(id as int), timestamp '2024-01-01 00:00:00') as signed_up_at,
       timestampadd(second, cast(id as int), timestamp '2026-01-01 00:00:00') as updated_at
from range(1, :rows + 1)
