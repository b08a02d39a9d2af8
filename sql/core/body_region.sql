create view core.body_region as
select
    region_code,
    min(code) as code
from core.body
where kind in ('镇街', '村居')
group by region_code
having count(*) = 1;
comment on view core.body_region is
'The town government or village committee of every region below the city, by region code';
