-- The bare diff's tracked state as if everything had been delivered.
insert into bare.records
select id, hash_record_extended(row(id, email, first_name, last_name, revenue, seats, logins, active,
                                    signed_up_at, updated_at), 0)
from users;
vacuum analyze bare.records;
