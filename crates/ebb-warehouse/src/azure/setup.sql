-- in the database `master`
create login {user} with password = {'password'};

-- in the database {database}
create user {user} for login {user};

-- what models may read
grant select on schema::{reads} to {user};

-- where Ebb keeps what it tracks; it writes nowhere else
create schema {schema} authorization {user};
grant create table to {user};
