-- Who asked a sync to end early, and why: JSON; none while nobody did.
alter table sync add column cancellation text;
update sync set cancellation = '{"by":null,"reason":null}' where cancel = 1;
alter table sync drop column cancel;
