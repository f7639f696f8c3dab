create user {user} password {'password'};

-- what models may read
grant usage on schema {reads} to {user};
grant select on all tables in schema {reads} to {user};
alter default privileges in schema {reads} grant select on tables to {user};

-- where Ebb keeps what it tracks; it writes nowhere else
create schema {schema} authorization {user};
grant temp on database {database} to {user};
