/*
of: registered_cloud_systems
name_zh: 新增上云政务信息系统数
name_en: Information systems added to the cloud
unit: '个'
published_no: '41'
section: 一(三)3
description_zh: 期末台账中申请上云日期在本期的系统
description_en: Systems on the list of the last day whose application lies in the period
*/
select *
from registered_cloud_systems
where applied_on >= :first_day and applied_on < :next_day
