-- The benchmarks' table: the same 10 columns as in PostgreSQL.
create table shop.users as
select g as id,
       concat('user', cast(g as string), '@example.com') as email,
       concat('First', cast(mod(g, 997) as string)) as first_name,
       concat('Last', cast(mod(g, 4999) as string)) as last_name,
       round(cast(mod(g, 100000) as numeric) / 7, 2) as revenue,
       mod(g, 500) as seats,
       mod(g, 10007) as logins,
       mod(g, 3) = 0 as active,
       timestamp_add(timestamp '2024-01-01 00:00:00+00', interval g second) as signed_up_at,
       timestamp_add(timestamp '2026-01-01 00:00:00+00', interval g second) as updated_at
from unnest(generate_array(1, :rows)) as g
