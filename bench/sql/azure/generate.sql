-- The benchmarks' table: the same 10 columns as in PostgreSQL.
with digits (d) as (select d from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) v (d)),
series (g) as (
    select cast(1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d + 1000000 * h.d as bigint)
    from digits a cross join digits b cross join digits c cross join digits d cross join digits e cross join digits f cross join digits h)
select g as id,
       concat('user', g, '@example.com') as email,
       concat('First', g % 997) as first_name,
       concat('Last', g % 4999) as last_name,
       cast((g % 100000) / 7.0 as decimal(12, 2)) as revenue,
       cast(g % 500 as int) as seats,
       cast(g % 10007 as int) as logins,
       cast(case when g % 3 = 0 then 1 else 0 end as bit) as active,
       dateadd(second, g, cast('2024-01-01 00:00:00' as datetime2)) as signed_up_at,
       dateadd(second, g, cast('2026-01-01 00:00:00' as datetime2)) as updated_at
into users
from series
where g <= :rows
