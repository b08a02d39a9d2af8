select
    description_zh,
    rows_checked,
    is_kept,
    body_name,
    difference
from mart.identity
where period = %(period)s
order by is_kept, rule, body_code nulls first
