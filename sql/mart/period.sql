/*
view: period
description: 半年期 One row per half-year, from the first to the newest accepted snapshot
columns:
    period: 半年期 SDMX code of the half-year, as 2022-S1
    title_zh: 中文名 Title in Chinese
    title_en: 英文名 Title in English
    first_day: 首日 First day
    last_day: 末日 Last day
    next_day: 下期首日 First day of the next half-year, which is the exclusive end of this one
    status: 状态 sealed when a person has approved and sealed it, else open
    vintage: 版次 Newest sealed vintage; null while open
*/
with latest as (
    select
        period,
        max(vintage) as vintage
    from indicators.vintage
    group by period
)

select
    p.period,
    left(p.period, 4) || '年' || case right(p.period, 1) when '1' then '上半年' else '下半年' end
        as title_zh,
    case right(p.period, 1) when '1' then 'First' else 'Second' end
    || ' half of ' || left(p.period, 4) as title_en,
    p.first_day,
    p.last_day,
    p.next_day,
    case when l.vintage is null then 'open' else 'sealed' end as status,
    l.vintage
from lineage.open_period as p
left join latest as l on p.period = l.period
