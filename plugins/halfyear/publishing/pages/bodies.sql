with recursive placed as (
    select
        body_code,
        body_name,
        parent_code,
        1 as depth
    from mart.body
    where parent_code is null
    union all
    select
        b.body_code,
        b.body_name,
        b.parent_code,
        p.depth + 1 as depth
    from mart.body as b
    inner join placed as p on b.parent_code = p.body_code
)

select
    body_code,
    body_name,
    parent_code
from placed
order by depth, body_code
