select
    published_no,
    name_zh,
    indicator_code,
    published_printed,
    computed_printed,
    verdict,
    explanation_zh
from mart.reconciliation
where period = %(period)s
order by sort_order
