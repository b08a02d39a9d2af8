-- Beyond the marks, what is due follows from the state itself: a new period, a new or changed definition, a source
-- that delivered for the first time or no longer did, a period or a definition that is gone. The provisional value of a
-- sealed period follows a changed definition too: the seal does not move, and what would have to be restated shows.

create view indicators.due as
with city as not materialized (
    select
        period,
        indicator_code,
        reading,
        numerator,
        definition_hash
    from indicators.observation
    where superseded_at is null and body_code is null
),

wanted as not materialized (
    select
        c.period,
        c.indicator_code,
        c.reading,
        c.is_covered,
        d.definition_hash,
        d.without_rows
    from indicators.coverage as c
    inner join indicators.definition as d
        on c.indicator_code = d.indicator_code and c.reading = d.reading
)

select
    period,
    indicator_code,
    reading
from indicators.stale
union
select
    w.period,
    w.indicator_code,
    w.reading
from wanted as w
left join city as o
    on w.period = o.period and w.indicator_code = o.indicator_code and w.reading = o.reading
where
    o.period is null
    or o.definition_hash <> w.definition_hash
    or (o.numerator is not null and not w.is_covered)
    or (o.numerator is null and w.is_covered and w.without_rows = 'zero')
union
select
    o.period,
    o.indicator_code,
    o.reading
from city as o
left join wanted as w
    on o.period = w.period and o.indicator_code = w.indicator_code and o.reading = w.reading
where w.period is null;
comment on view indicators.due is 'Every pair of indicator and period that has to be computed';
