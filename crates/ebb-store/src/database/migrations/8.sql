-- The newest sync of each mapping: what the overview of all of them needs, without their records.
create table latest (
    mapping text primary key,
    sync text not null,
    status text not null
) without rowid;
insert into latest (mapping, sync, status)
    select mapping, id, status from sync where id in (select max(id) from sync group by mapping);

-- What ended since a moment, read from the index alone.
drop index sync_finished;
create index sync_finished on sync (finished_at, mapping, id);
