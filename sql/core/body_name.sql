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

-- Until the next body has the name. By a join, since PostgreSQL takes no window function into its parallel workers.
alias as (
    select
        a.name,
        a.code,
        daterange(a.valid_from, min(later.valid_from)) as valid_at
    from core.body_alias as a
    left join core.body_alias as later
        on a.name = later.name and (a.valid_from < later.valid_from or a.valid_from is null)
    where
        not exists (
            select from core.body as b
            where b.name = a.name
        )
    group by a.name, a.code, a.valid_from
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
