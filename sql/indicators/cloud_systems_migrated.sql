/*
of: registered_cloud_systems
name_zh: 已完成上云数
name_en: Of these, migrated
unit: '个'
published_no: '42'
section: 一(三)3
description_zh: 本期新增上云系统中期末迁移状态为已上云的
description_en: Of the systems added in the period, those that are 已上云 on the last day
excluded:
    not_migrated: {zh: 期末尚未上云, en: not migrated by the last day}
*/
select
    *,
    case when migration <> '已上云' then 'not_migrated' end as left_out_because
from registered_cloud_systems
where applied_on >= :first_day and applied_on < :next_day
