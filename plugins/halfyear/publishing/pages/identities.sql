select *
from mart.identity
where period = %(period)s
order by is_kept, rule, body_code nulls first
