-- With row numbers: without them SQLite gives each record of more than a kilobyte a page of its own.
create table sync (
    id text primary key not null,
    mapping text not null,
    ended integer not null,
    finished_at integer, -- microseconds since 1970
    record text not null,
    cancel integer not null default 0
);
create index sync_of_mapping on sync (mapping, id);
create index sync_unfinished on sync (mapping) where ended = 0;

-- Apart from sync: written with every group of outcomes, and a sync's record may be large.
create table counts (
    sync text primary key references sync on delete cascade,
    counts text not null
) without rowid;

create table part (
    sync text not null references sync on delete cascade,
    number integer not null,
    part text not null,
    primary key (sync, number)
) without rowid;

-- What groups of outcomes added since they were last folded into outcome.
create table journal (
    sync text not null references sync on delete cascade,
    number integer not null,
    verdict integer not null,
    bits blob not null,
    primary key (sync, number)
) without rowid;

create table outcome (
    sync text not null references sync on delete cascade,
    verdict integer not null,
    chunk integer not null,
    bits blob not null,
    primary key (sync, verdict, chunk)
) without rowid;

create table failure_group (
    sync text not null references sync on delete cascade,
    code text not null,
    message text not null,
    verdict integer not null,
    failures text not null,
    primary key (sync, verdict, code, message)
) without rowid;

create table attempt (
    mapping text not null,
    record_id text not null,
    count integer not null,
    since integer not null, -- microseconds since 1970
    last_sync text not null,
    primary key (mapping, record_id)
) without rowid;

-- One row that is written only to make earlier transactions durable.
create table pulse (number integer not null);
insert into pulse values (0);
