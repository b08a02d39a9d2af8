-- The sealed figures of later half-years that were compared with a figure which a vintage restated, and their change as it
-- would be now. A restatement does not move them: their report prints as it was.
select
    f.period,
    l.comparison,
    d.name_zh,
    d.kind,
    d.decimals,
    l.compared ->> 'printed' as base_printed,
    r.new_printed as new_base_printed,
    (l.compared ->> 'change')::numeric as change,
    case
        when l.compared ->> 'not_comparable' is null
            then indicators.change(d.kind, f.value, r.new_value)
    end as new_change
from indicators.restatement as r
inner join indicators.in_force as f
    on
        r.indicator_code = f.indicator_code
        and f.body_code is null
        and f.is_published
        and f.compared is not null
inner join indicators.sealed_definition as d
    on
        f.period = d.period
        and f.vintage = d.vintage
        and f.indicator_code = d.indicator_code
        and f.reading = d.reading
cross join
    lateral (
        values
        ('环比', %(next)s, f.compared -> 'previous'),
        ('同比', %(next_year)s, f.compared -> 'year_ago')
    ) as l (comparison, period, compared)
where
    r.period = %(period)s
    and r.vintage = %(vintage)s
    and r.body_code is null
    and r.old_printed <> r.new_printed
    and f.period = l.period
    and (l.compared ->> 'vintage')::integer < r.vintage
order by f.period, d.sort_order, l.comparison
