-- The benchmarks' table: the same 10 columns as in PostgreSQL.
create table users (id integer primary key, email text, first_name text, last_name text, revenue numeric, seats int, logins int,
                    active boolean, signed_up_at timestamp, updated_at timestamp);
insert into users
with recursive series (g) as (select 1 union all select g + 1 from series where g < :rows)
select g,
       'user' || g || '@example.com',
       'First' || (g % 997),
       'Last' || (g % 4999),
       round((g % 100000) / 7.0, 2),
       g % 500,
       g % 10007,
       g % 3 = 0,
       datetime('2024-01-01', g || ' seconds'),
       datetime('2026-01-01', g || ' seconds')
from series;
