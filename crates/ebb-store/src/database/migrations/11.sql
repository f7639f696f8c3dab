-- Mappings that were deleted, and whether they were made again since: what they sent before is to be
-- forgotten then. The source may be away meanwhile, so the next sync does it.
create table remade (
    mapping text primary key,
    version bigint not null -- the new entry's; 0 while there is none
) without rowid;
