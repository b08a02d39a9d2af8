/*
of: registered_cloud_systems
name_zh: 平均上云天数
name_en: Average days from application to cloud
unit: '天'
kind: average
decimals: 1
quantity: days
over: 1
description_zh: 本期完成上云的系统从申请到完成的平均天数
description_en: Days from application to migration, averaged over the systems whose migration
    was done in the period
*/
select
    *,
    migrated_on - applied_on as days
from registered_cloud_systems
where migrated_on >= :first_day and migrated_on < :next_day
