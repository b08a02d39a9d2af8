/*
of: registered_cloud_systems
name_zh: 已完成上云数（按完成日期）
name_en: Information systems migrated in the period
unit: '个'
description_zh: 期末台账中完成上云日期在本期的系统，不论何时申请
description_en: Systems on the list of the last day whose migration was done in the period,
    whenever they applied
*/
select *
from registered_cloud_systems
where migrated_on >= :first_day and migrated_on < :next_day
