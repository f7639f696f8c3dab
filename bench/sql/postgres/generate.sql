-- The benchmarks' table: 10 columns, about 110 bytes a row, the same on every machine.
set time zone 'UTC';
create table users as
select g::bigint as id,
       'user' || g || '@example.com' as email,
       'First' || (g % 997) as first_name,
       'Last' || (g % 4999) as last_name,
       ((g % 100000) / 7.0)::numeric(12, 2) as revenue,
       (g % 500)::int as seats,
       (g % 10007)::int as logins,
       g % 3 = 0 as active,
       timestamptz '2024-01-01 00:00:00+00' + g * interval '1 second' as signed_up_at,
       timestamptz '2026-01-01 00:00:00+00' + g * interval '1 second' as updated_at
from generate_series(1, :rows) g;
alter table users add primary key (id);
create schema bare;
create table bare.records (record_id bigint not null, checksum bigint not null);
vacuum analyze users;
