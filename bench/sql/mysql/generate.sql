-- The benchmarks' table: the same 10 columns as in PostgreSQL.
set time_zone = '+00:00';
create table users (id bigint primary key, email varchar(100), first_name varchar(50), last_name varchar(50),
                    revenue decimal(12, 2), seats int, logins int, active boolean, signed_up_at datetime, updated_at datetime)
select seq as id,
       concat('user', seq, '@example.com') as email,
       concat('First', seq % 997) as first_name,
       concat('Last', seq % 4999) as last_name,
       (seq % 100000) / 7.0 as revenue,
       seq % 500 as seats,
       seq % 10007 as logins,
       seq % 3 = 0 as active,
       timestamp '2024-01-01 00:00:00' + interval seq second as signed_up_at,
       timestamp '2026-01-01 00:00:00' + interval seq second as updated_at
from seq_1_to_:rows;
