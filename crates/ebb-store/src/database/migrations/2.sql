-- Counts who held a mapping's lock, so that a late write of an earlier holder is refused.
create table lease (
    mapping text primary key,
    token integer not null
) without rowid;
