create user {'user'} identified by {'password'};

-- what models may read
grant select on {=reads}.* to {'user'};

-- where Ebb keeps what it tracks; it writes nowhere else
create database {schema} character set utf8mb4 collate utf8mb4_bin;
grant select, insert, update, delete, create, create temporary tables, drop, alter
  on {=schema}.* to {'user'};
