-- The bare one-pass diff: the model once, with a checksum, joined with the narrow tracked state.
create table bare.changes as
select case when tracked.record_id is null then 0 when model.id is null then 2 else 1 end as op,
       coalesce(model.id, tracked.record_id) as record_id,
       model.checksum,
       id, email, first_name, last_name, revenue, seats, logins, active, signed_up_at, updated_at
from (select users.*,
             hash_record_extended(row(id, email, first_name, last_name, revenue, seats, logins, active,
                                      signed_up_at, updated_at), 0) as checksum
      from users
      where id is not null) model
full join bare.records tracked on model.id = tracked.record_id
where tracked.record_id is null or model.id is null or model.checksum <> tracked.checksum;
