-- the user is the service principal's application id
-- what models may read
grant use catalog on catalog {database} to {=user};
grant use schema, select on schema {database}.{reads} to {=user};

-- where Ebb keeps what it tracks; it writes nowhere else
create schema {database}.{=schema};
grant use schema, create table on schema {database}.{=schema} to {=user};
