/*
of: cloud_migration
reads: last_day
name_zh: 政务信息系统上云率
name_en: Cloud migration rate
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末台账中已上云系统占应上云系统（不含不上云）的比例
description_en: Share of the systems on the list of the last day that are 已上云, 不上云 left out
excluded:
    not_to_migrate: {zh: 不上云, en: the system will not migrate}
*/
select
    *,
    case when migration = '不上云' then 'not_to_migrate' end as left_out_because,
    migration = '已上云' as is_counted
from cloud_migration
