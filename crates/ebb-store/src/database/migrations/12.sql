-- Which changes of a sync failed for one reason: in chunks, as the outcomes.
create table failed_for (
    sync text not null references sync on delete cascade,
    verdict integer not null,
    code text not null,
    message text not null,
    chunk integer not null,
    bits blob not null,
    primary key (sync, verdict, code, message, chunk)
) without rowid;
