/*
name_zh: 每周消杀完成周数
name_en: Weeks with disinfection
domain: service_halls
unit: '周'
kind: flow
decimals: 0
sources: [manual_return]
published_no: '51'
section: 一(四)
without_rows: 'null'
published: true
description_zh: 本期有消杀记录（数值大于0）的不同 ISO 周数
description_en: Distinct ISO weeks of the period with a quantity above 0
excluded:
    nothing_done: {zh: 数值为0, en: a quantity of 0}
    same_week: {zh: 同一周的其他记录, en: another record of a week that is counted once}
*/
with happened as (
    select *
    from core.manual_return
    where
        known_at @> :as_known
        and occurred_on >= :first_day
        and occurred_on < :next_day
        and indicator_code = 'disinfection_weeks'
),

week as (
    select
        *,
        row_number() over (
            partition by
                extract(isoyear from occurred_on),
                extract(week from occurred_on),
                quantity > 0
            order by occurred_on asc, line_no asc
        ) as week_place
    from happened
),

judged as (
    select
        *,
        case
            when quantity <= 0 then 'nothing_done'
            when week_place > 1 then 'same_week'
        end as excluded_because
    from week
)

select
    null::text as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'manual_return' as source,
    record_key,
    load_id,
    row_number
from judged
