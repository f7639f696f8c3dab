create table users (
  id integer primary key,
  email text not null,
  name text,
  orders integer not null default 0,
  updated_at text not null
);
insert into users (id, email, name, orders, updated_at) values
  (1, 'ada@example.com', 'Ada', 3, '2026-01-05T09:00:00Z'),
  (2, 'grace@example.com', 'Grace', 1, '2026-01-06T10:30:00Z'),
  (3, 'edsger@example.com', null, 0, '2026-01-07T12:15:00Z');
