-- The bare diff's tracked state as if everything had been delivered.
insert into bare.records
select id, hash(id, email, first_name, last_name, revenue, seats, logins, active, signed_up_at, updated_at)
from users;
checkpoint;
