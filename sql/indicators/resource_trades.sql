/*
of: traded_lots
name_zh: 公共资源交易完成项目数
name_en: Projects traded
unit: '宗'
published_no: '32'
section: 一(二)5二
description_zh: 本期有标段成交的项目，按项目编号计
description_en: 'Projects with a lot that was traded in the period, by project number'
excluded:
    other_lot: {zh: 同一项目的其他标段, en: another lot of a project that is counted once}
*/
with lot as (
    -- A project counts once, by its completed lot with the smallest number.
    select
        *,
        row_number() over (
            partition by project_no, excluded_because is null
            order by record_key collate "C" asc
        ) as lot_no_of_project
    from traded_lots
)

select
    *,
    case when lot_no_of_project > 1 then 'other_lot' end as left_out_because
from lot
