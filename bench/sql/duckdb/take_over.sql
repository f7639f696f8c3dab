-- The bare diff's changes become its tracked state.
delete from bare.records using bare.changes where records.record_id = changes.record_id;
insert into bare.records select record_id, checksum from bare.changes where op <> 2;
checkpoint;
