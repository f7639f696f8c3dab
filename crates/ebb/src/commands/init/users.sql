-- One SELECT. Its rows are compared with those of the last sync; what differs is sent.
select id, email, name, orders, updated_at
from users
