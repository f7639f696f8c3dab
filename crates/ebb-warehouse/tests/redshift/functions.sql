-- Functions and types that Redshift has and PostgreSQL has not, as Redshift's manual describes them.

-- 64-bit FNV-1a, on little-endian bytes where the value is a number. What it makes of null is not in
-- the manual: here it is the worst that could be, the same as of no bytes at all.
create function fnv_hash(value anyelement, seed bigint) returns bigint
language plpgsql immutable parallel safe as $$
declare
  width int := case cast(pg_typeof(value) as text)
    when 'smallint' then 2 when 'integer' then 4 when 'bigint' then 8 else 0 end;
  bytes bytea;
  size int;
  low bigint := seed & 4294967295;
  high bigint := (seed >> 32) & 4294967295;
  product bigint;
begin
  if value is null then return seed; end if;
  if width > 0 then
    bytes := int8send(cast(cast(value as text) as bigint));
    size := width;
  else
    bytes := convert_to(cast(value as text), 'UTF8');
    size := length(bytes);
  end if;
  for place in 0 .. size - 1 loop
    low := low # get_byte(bytes, case when width > 0 then 7 - place else place end);
    product := low * 435;
    high := (high * 435 + (low << 8) + (product >> 32)) & 4294967295;
    low := product & 4294967295;
  end loop;
  return (high << 32) | low;
end $$;

create function fnv_hash(value anyelement) returns bigint language sql immutable parallel safe
as 'select fnv_hash(value, -3750763034362895579)';

create type super;
create function super_in(cstring) returns super language internal immutable strict as 'jsonb_in';
create function super_out(super) returns cstring language internal immutable strict as 'jsonb_out';
create type super (input = super_in, output = super_out, like = jsonb);

create type varbyte;
create function varbyte_in(cstring) returns varbyte language internal immutable strict as 'byteain';
create function varbyte_out(varbyte) returns cstring language internal immutable strict as 'byteaout';
create type varbyte (input = varbyte_in, output = varbyte_out, like = bytea);
create cast (varbyte as bytea) without function;
create cast (bytea as varbyte) without function;

create function from_hex(text) returns varbyte language sql immutable strict
as 'select cast(decode($1, ''hex'') as varbyte)';

create function json_parse(text) returns super language sql immutable strict
as 'select cast($1 as super)';
-- never null: of null it makes the text null
create function json_serialize(super) returns varchar language sql immutable
as 'select coalesce(cast($1 as varchar), ''null'')';
create function json_serialize_to_varbyte(super) returns varbyte language sql immutable
as 'select cast(convert_to(json_serialize($1), ''UTF8'') as varbyte)';
-- not FarmHash: any hash of the same bytes
create function farmfingerprint64(varbyte) returns bigint language sql immutable strict
as 'select hashtextextended(encode(cast($1 as bytea), ''hex''), 0)';

create type geometry;
create function geometry_in(cstring) returns geometry language internal immutable strict as 'textin';
create function geometry_out(geometry) returns cstring language internal immutable strict as 'textout';
create type geometry (input = geometry_in, output = geometry_out, like = text);
create function st_geomfromtext(text) returns geometry language sql immutable strict
as 'select cast($1 as geometry)';
create function st_astext(geometry) returns varchar language sql immutable strict
as 'select cast($1 as varchar)';

-- a sketch that counts letters
create type hllsketch;
create function hllsketch_in(cstring) returns hllsketch language internal immutable strict as 'textin';
create function hllsketch_out(hllsketch) returns cstring language internal immutable strict as 'textout';
create type hllsketch (input = hllsketch_in, output = hllsketch_out, like = text);
create function hll_create_sketch(text) returns hllsketch language sql immutable strict
as 'select cast($1 as hllsketch)';
create function hll_cardinality(hllsketch) returns bigint language sql immutable strict
as 'select cast(length(cast($1 as text)) as bigint)';

create type intervaly2m;
create function intervaly2m_in(cstring, oid, integer) returns intervaly2m
language internal immutable strict as 'interval_in';
create function intervaly2m_out(intervaly2m) returns cstring
language internal immutable strict as 'interval_out';
create type intervaly2m (input = intervaly2m_in, output = intervaly2m_out, like = interval);
create cast (intervaly2m as interval) without function as implicit;

create type intervald2s;
create function intervald2s_in(cstring, oid, integer) returns intervald2s
language internal immutable strict as 'interval_in';
create function intervald2s_out(intervald2s) returns cstring
language internal immutable strict as 'interval_out';
create type intervald2s (input = intervald2s_in, output = intervald2s_out, like = interval);
create cast (intervald2s as interval) without function as implicit;

-- not Redshift's: for its literals, of which no other engine makes two types
create function months(text) returns intervaly2m language sql immutable strict
as 'select cast($1 as intervaly2m)';
create function duration(text) returns intervald2s language sql immutable strict
as 'select cast($1 as intervald2s)';
