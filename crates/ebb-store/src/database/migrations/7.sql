-- Records that were processed, by the month (UTC) in which their syncs began. Written when a sync ends.
create table usage (
    destination text not null,
    month text not null, -- such as 2026-11
    records bigint not null,
    primary key (destination, month)
);
