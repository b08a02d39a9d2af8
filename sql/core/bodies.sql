-- Names of bodies and the days on which they hold. Applied again whenever it changes.

create or replace view core.body_name as
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

create or replace view core.body_region as
select
    region_code,
    min(code) as code
from core.body
where kind in ('镇街', '村居')
group by region_code
having count(*) = 1;
comment on view core.body_region is
'The town government or village committee of every region below the city, by region code';

create or replace view core.body_part as
select
    code as body_code,
    code as part_code
from core.body
union all
select
    parent_code as body_code,
    code as part_code
from core.body
where level = '村' and parent_code is not null;
comment on view core.body_part is
'The bodies whose rows count for a body: itself, and for a town its villages';
