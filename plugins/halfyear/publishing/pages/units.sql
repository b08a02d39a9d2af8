select
    unit,
    code,
    name_zh,
    name_en
from indicators.unit
order by code
