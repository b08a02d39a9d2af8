/*
of: supervision_acts_inspected
name_zh: 监管数据录入及时率
name_en: Timely entry rate of supervision
unit: '%'
kind: ratio
decimals: 2
description_zh: 本期监管行为中在规定天数内录入的比例；天数见口径表 timely_entry_days
description_en: Share of the acts of the period that were entered within the days that the value
    set timely_entry_days names
*/
select
    *,
    (entered_at at time zone 'Asia/Shanghai')::date
    - (inspected_at at time zone 'Asia/Shanghai')::date
    <= any(:timely_entry_days::integer[]) as is_counted
from supervision_acts_inspected
