create view indicators.in_force_derived as
with newest as not materialized (
    select
        period,
        max(vintage) as vintage
    from indicators.vintage
    group by period
),

sealed as not materialized (
    select s.*
    from indicators.sealed_observation as s
    inner join newest as n on s.period = n.period and s.vintage = n.vintage
)

select
    s.period,
    s.indicator_code,
    s.reading,
    s.body_code,
    s.numerator,
    s.denominator,
    s.value,
    s.printed,
    s.vintage,
    coalesce(z.is_published, d.is_published, false) as is_published,
    s.definition_hash,
    s.computed_at,
    coalesce(z.unit, d.unit) as unit,
    case
        when s.vintage > 1
            then (
                select nullif(o.printed, s.printed)
                from indicators.sealed_observation as o
                where
                    o.period = s.period
                    and o.indicator_code = s.indicator_code
                    and o.reading = s.reading
                    and o.body_code is not distinct from s.body_code
                order by o.vintage
                limit 1
            )
    end as first_printed,
    c.body_name,
    c.compared::jsonb as compared
from sealed as s
left join indicators.sealed_comparison as c
    on
        s.period = c.period
        and s.vintage = c.vintage
        and s.indicator_code = c.indicator_code
        and s.reading = c.reading
        and coalesce(s.body_code, '') = coalesce(c.body_code, '')
left join indicators.sealed_definition as z
    on
        s.period = z.period
        and s.vintage = z.vintage
        and s.indicator_code = z.indicator_code
        and s.reading = z.reading
left join indicators.definition as d
    on s.indicator_code = d.indicator_code and s.reading = d.reading
union all
select
    o.period,
    o.indicator_code,
    o.reading,
    o.body_code,
    o.numerator,
    o.denominator,
    o.value,
    o.printed,
    null as vintage,
    -- The reading of an indicator that was published at the seal stays the published one.
    coalesce(d.is_published, false) and not exists (
        select from newest as n
        inner join indicators.sealed_definition as z
            on n.period = z.period and n.vintage = z.vintage
        where n.period = o.period and z.indicator_code = o.indicator_code and z.is_published
    ) as is_published,
    o.definition_hash,
    o.computed_at,
    d.unit,
    null as first_printed,
    null as body_name,
    null as compared
from indicators.observation as o
left join indicators.definition as d
    on o.indicator_code = d.indicator_code and o.reading = d.reading
where
    o.superseded_at is null
    and not exists (
        select from sealed as s
        where
            s.period = o.period
            and s.indicator_code = o.indicator_code
            and s.reading = o.reading
            and coalesce(s.body_code, '') = coalesce(o.body_code, '')
    );
comment on view indicators.in_force_derived is
'What indicators.in_force has to hold, chosen anew among observations, vintages and definitions';
