create user {user} identified by {'password'};

-- what models may read
grant select on {=reads}.* to {user};

-- where Ebb keeps what it tracks; it writes nowhere else
create database {=schema};
grant select, insert, create table, drop table on {=schema}.* to {user};

-- what Ebb's own statements are, to end those that nobody waits for
grant select on system.processes to {user};
