-- What the city's figures are made of, in the newest vintage and now: two pairs, above the line and below it.
select
    n.indicator_code,
    n.reading,
    array[s.numerator, n.numerator] as above,
    array[s.denominator, n.denominator] as below
from indicators.observation as n
inner join indicators.sealed_observation as s
    on
        n.period = s.period
        and n.indicator_code = s.indicator_code
        and n.reading = s.reading
        and s.body_code is null
where
    n.period = %(period)s
    and n.superseded_at is null
    and n.body_code is null
    and s.vintage = (
        select max(v.vintage)
        from indicators.vintage as v
        where v.period = %(period)s
    )
