use role accountadmin;

create role {user};
create user {user}
  type = service
  default_role = {user}
  rsa_public_key = 'the public key';
grant role {user} to user {user};

-- a warehouse of its own, so that the bill tells what Ebb costs
create warehouse {user}
  warehouse_size = xsmall
  auto_suspend = 60
  initially_suspended = true;
grant usage on warehouse {user} to role {user};

-- what models may read
grant usage on database {database} to role {user};
grant usage on schema {database}.{reads} to role {user};
grant select on all tables in schema {database}.{reads} to role {user};
grant select on future tables in schema {database}.{reads} to role {user};
grant select on all views in schema {database}.{reads} to role {user};
grant select on future views in schema {database}.{reads} to role {user};

-- where Ebb keeps what it tracks; it writes nowhere else
create transient schema {database}.{=schema} data_retention_time_in_days = 0;
grant usage, create table on schema {database}.{=schema} to role {user};
