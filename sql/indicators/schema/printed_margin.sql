create view indicators.printed_margin as
select
    p.period,
    p.indicator_code,
    p.printed,
    p.value,
    case
        when p.decimals = 0 and not coalesce(u.is_measured, p.unit ~ '[%‰/]|^[十百千]?[万亿]') then 0
        else 0.5 * power(10::numeric, -p.decimals)
    end as margin
from indicators.published_figure as p
left join indicators.unit as u on p.unit = u.unit;
comment on view indicators.printed_margin is
'One row per printed figure: how far rounding may have moved it, half a unit of its last printed digit; a count not at all';
