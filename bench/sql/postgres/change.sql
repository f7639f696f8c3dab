-- 0.8 % updated, 0.1 % deleted, 0.1 % added; other rows in each round.
update users set revenue = revenue + 1, updated_at = updated_at + interval '1 day'
where (id + :round * 11) % 1000 < 8;
delete from users where (id + :round * 11) % 1000 = 8;
insert into users
select :rows * (1000 + :round)::bigint + g,
       'new' || g || '@example.com', 'First' || g, 'Last' || g, g / 7.0, g % 500, g % 10007, g % 3 = 0,
       timestamptz '2026-06-01 00:00:00+00' + g * interval '1 second',
       timestamptz '2026-06-01 00:00:00+00' + g * interval '1 second'
from generate_series(1, :rows / 1000) g;
vacuum analyze users;
