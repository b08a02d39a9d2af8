-- Which region codes there are: the counties of the country, and the city's own towns and villages.

create table core.county (
    county_code text primary key check (county_code ~ '^[0-9]{6}$')
);
comment on table core.county is
'The provinces, cities and counties of GB/T 2260 in every edition since 1981, from expectations/core/county.csv';

create table core.region (
    region_code text primary key check (region_code ~ '^[0-9]{6}([0-9]{3}([0-9]{3})?)?$'),
    name text not null,
    level text not null,
    check (level = case length(region_code) when 6 then '市' when 9 then '镇' else '村' end)
);
comment on table core.region is
'The city itself with all its towns and villages, from expectations/core/region.csv';
