select *
from mart.printed_identity
where period = %(period)s
order by rule
