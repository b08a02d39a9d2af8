-- Unit and decimals of a sealed figure are those of its seal, whatever became of the definition.
select
    i.indicator_code,
    coalesce(i.body_code, %(total)s) as body,
    round(i.value, coalesce(z.decimals, d.decimals)) as shown,
    coalesce(z.unit, i.unit) as unit,
    coalesce(z.decimals, d.decimals) as decimals,
    case
        when i.status = 'provisional' then 'P'
        when exists (
            select from mart.restatement as r
            where
                r.period = i.period
                and r.vintage <= i.vintage
                and r.indicator_code = i.indicator_code
                and r.reading = d.reading
                and r.body_code is not distinct from i.body_code
        ) then 'R'
        else 'A'
    end as status,
    i.vintage,
    trim_scale(i.numerator) as numerator,
    trim_scale(i.denominator) as denominator
from mart.indicator as i
inner join mart.definition as d on i.indicator_code = d.indicator_code and d.is_published
left join indicators.sealed_definition as z
    on
        i.period = z.period
        and i.vintage = z.vintage
        and i.indicator_code = z.indicator_code
        and d.reading = z.reading
where i.period = %(period)s
order by d.sort_order, i.body_code nulls first
