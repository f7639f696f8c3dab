-- Who may use a server. Times are microseconds since 1970.
create table person (
    id text primary key,
    email text not null unique, -- in lower case
    name text not null,
    role text not null,
    password text, -- argon2id; none until it was chosen
    created_at integer not null
) without rowid;

-- What people hold: cookies, links, API tokens. Only digests of them are kept.
create table session (
    digest text primary key,
    person text not null references person on delete cascade,
    expires_at integer not null
) without rowid;
create table invitation (
    digest text primary key,
    person text references person on delete cascade, -- none for the first owner
    expires_at integer not null
) without rowid;
create table token (
    id text primary key,
    digest text not null unique,
    name text not null,
    role text not null,
    person text not null references person on delete cascade,
    created_at integer not null,
    expires_at integer,
    used_at integer
) without rowid;

-- Sources, models, destinations and mappings that were made in the page or by the API.
create table entry (
    section text not null,
    name text not null,
    version integer not null,
    document text not null, -- JSON; a secret stands as ${secret:NAME}
    primary key (section, name)
) without rowid;
-- Versions of entries are never given twice, also not to one that was removed and made anew.
create table entry_version (number integer not null);
insert into entry_version values (0);

create table secret (
    name text primary key,
    sealed blob not null
) without rowid;

create table audit (
    id text primary key, -- sorts by time
    at integer not null,
    actor text not null,
    action text not null,
    subject text not null,
    before text, -- JSON
    after text
) without rowid;
create index audit_of_subject on audit (subject, id);

-- Lists of syncs with a status.
alter table sync add column status text generated always as (record ->> '$.status') virtual;
create index sync_of_status on sync (status, id);
