/*
of: cloud_migration
reads: last_day
name_zh: 等保定级率
name_en: Protection-level grading rate
domain: security
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末台账中已定级的系统比例
description_en: Share of the systems on the list of the last day that have a protection level
*/
select
    *,
    protection_level is not null as is_counted
from cloud_migration
