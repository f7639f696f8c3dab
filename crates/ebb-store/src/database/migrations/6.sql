-- What went wrong and was told. Times are microseconds since 1970.
create table alert (
    id text primary key, -- sorts by time
    mapping text not null,
    trouble text not null,
    threshold bigint not null, -- seconds, or millionths; 0 where the trouble has none
    sync text, -- the sync that showed it
    opened_at bigint not null,
    code text, -- of the failure, where there is one
    message text not null,
    help text not null,
    closed_at bigint,
    ending text, -- recovered or withdrawn
    closing_sync text
);
-- One alert per occurrence.
create unique index alert_open on alert (mapping, trouble, threshold) where closed_at is null;
create index alert_of_mapping on alert (mapping, id);

-- A message to a channel. It tells one thing or several.
create table alert_message (
    id text primary key, -- sorts by time
    channel text not null,
    made_at bigint not null,
    attempts bigint not null,
    next_at bigint, -- none once it was sent or given up
    ended_at bigint,
    failure text -- JSON: why the latest attempt did not work
);
create index alert_message_due on alert_message (next_at) where next_at is not null;
create index alert_message_of_channel on alert_message (channel, id);

-- What a channel is to be told: that an alert was opened, or that it recovered.
create table alert_notice (
    alert text not null references alert on delete cascade,
    event text not null,
    channel text not null,
    message text references alert_message on delete cascade, -- none while it waits for one
    primary key (alert, event, channel)
);
create index alert_notice_of_message on alert_notice (message);

-- What ended since a moment.
create index sync_finished on sync (finished_at);
