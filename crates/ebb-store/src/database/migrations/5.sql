-- What was answered to requests that must not be done twice, kept for a day.
create table answer (
    key text primary key, -- a digest of who asked and of the key that they gave
    request text not null, -- what was asked
    answer text not null, -- JSON
    at integer not null
) without rowid;
