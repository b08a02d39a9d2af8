/*
of: items_served
name_zh: 高频事项一次办比率
name_en: One-visit rate of frequent items
unit: '%'
kind: ratio
decimals: 2
published_no: '16'
section: 一(二)3
description_zh: 期末在用的高频事项中可一次办的比例
description_en: Share of the frequent items in use on the last day for which one visit is enough
excluded:
    not_frequent: {zh: 不是高频事项, en: not asked for often}
*/
select
    *,
    case when not is_frequent then 'not_frequent' end as left_out_because,
    is_one_visit as is_counted
from items_served
