-- First records of models, kept for some minutes.
create table preview (
    key text primary key,
    read_at integer not null,
    rows blob not null
) without rowid;
