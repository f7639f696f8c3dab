-- The benchmarks' table: the same 10 columns as in PostgreSQL.
set TimeZone = 'UTC';
create table users as
select g::bigint as id,
       'user' || g || '@example.com' as email,
       'First' || (g % 997) as first_name,
       'Last' || (g % 4999) as last_name,
       ((g % 100000) / 7.0)::decimal(12, 2) as revenue,
       (g % 500)::int as seats,
       (g % 10007)::int as logins,
       g % 3 = 0 as active,
       timestamp '2024-01-01 00:00:00' + to_seconds(g) as signed_up_at,
       timestamp '2026-01-01 00:00:00' + to_seconds(g) as updated_at
from generate_series(1, :rows) series(g);
create schema bare;
create table bare.records (record_id bigint not null, checksum ubigint not null);
checkpoint;
