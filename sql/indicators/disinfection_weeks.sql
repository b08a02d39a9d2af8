/*
of: manual_returns
name_zh: 每周消杀完成周数
name_en: Weeks with disinfection
domain: service_halls
unit: '周'
published_no: '51'
section: 一(四)
description_zh: 本期有消杀记录（数值大于0）的不同 ISO 周数
description_en: Distinct ISO weeks of the period with a quantity above 0
excluded:
    nothing_done: {zh: 数值为0, en: a quantity of 0}
    same_week: {zh: 同一周的其他记录, en: another record of a week that is counted once}
*/
with week as (
    select
        *,
        row_number() over (
            partition by
                extract(isoyear from occurred_on),
                extract(week from occurred_on),
                quantity > 0
            order by occurred_on asc, line_no asc
        ) as place_in_week
    from manual_returns
    where indicator_code = 'disinfection_weeks'
)

select
    *,
    case
        when quantity <= 0 then 'nothing_done'
        when place_in_week > 1 then 'same_week'
    end as left_out_because
from week
