create view core.body_name as
with own as (
    -- A name that two bodies bear decides nothing.
    select
        name,
        min(code) as code
    from core.body
    group by name
    having count(*) = 1
),

alias as (
    select
        a.name,
        a.code,
        daterange(
            a.valid_from,
            lead(a.valid_from) over (partition by a.name order by a.valid_from asc nulls first)
        ) as valid_at
    from core.body_alias as a
    where not exists (
        select from core.body as b
        where b.name = a.name
    )
)

select
    name,
    code,
    daterange(null, null) as valid_at
from own
union all
select
    name,
    code,
    valid_at
from alias;
comment on view core.body_name is
'Every reviewed name of a body with the days on which it holds; the list of bodies decides before the aliases';
