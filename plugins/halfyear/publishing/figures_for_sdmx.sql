select
    f.indicator_code,
    coalesce(f.body_code, %(total)s) as body,
    f.value,
    f.unit,
    f.decimals,
    case
        when
            f.previous ->> 'not_comparable' is not null
            or f.year_ago ->> 'not_comparable' is not null
            then 'B'
        when f.vintage is null then 'P'
        when exists (
            select from indicators.restatement as r
            where
                r.period = f.period
                and r.vintage <= f.vintage
                and r.indicator_code = f.indicator_code
                and r.reading = f.reading
                and r.body_code is not distinct from f.body_code
        ) then 'R'
        else 'A'
    end as status,
    f.vintage,
    trim_scale(f.numerator) as numerator,
    trim_scale(f.denominator) as denominator
from indicators.compared_figure as f
where f.period = %(period)s
order by f.sort_order, f.indicator_code, f.body_code nulls first
