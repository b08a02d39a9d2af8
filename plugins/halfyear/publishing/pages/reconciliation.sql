select *
from mart.reconciliation
where period = %(period)s
order by sort_order, published_no
