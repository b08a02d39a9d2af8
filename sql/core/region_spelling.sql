create view core.region_spelling as
-- Statistics write every region with 12 digits: zeros stand for the levels that are not named.
select
    region_code,
    region_code as spelling
from core.region
union all
select
    region_code,
    rpad(region_code, 9, '0') as spelling
from core.region
where length(region_code) = 6
union all
select
    region_code,
    rpad(region_code, 12, '0') as spelling
from core.region
where length(region_code) < 12;
comment on view core.region_spelling is
'Every way to write the code of one of the city''s own regions: with 6, 9 or 12 digits';
