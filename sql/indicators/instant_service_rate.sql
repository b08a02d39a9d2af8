/*
of: items_served
name_zh: 高频事项马上办比率
name_en: Instant-service rate of frequent items
unit: '%'
kind: ratio
decimals: 2
published_no: '17'
section: 一(二)3
description_zh: 期末在用的高频事项中可马上办的比例
description_en: Share of the frequent items in use on the last day that are done at once
excluded:
    not_frequent: {zh: 不是高频事项, en: not asked for often}
*/
select
    *,
    case when not is_frequent then 'not_frequent' end as left_out_because,
    is_instant as is_counted
from items_served
