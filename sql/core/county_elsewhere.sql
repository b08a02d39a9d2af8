create view core.county_elsewhere as
select county_code from core.county
except
select left(region_code, 6) as county_code from core.region;
comment on view core.county_elsewhere is
'The counties of others, whose towns and villages no list here names';
