/*
of: manual_returns
name_zh: 乡镇体制改革协调会议次数
name_en: Coordination meetings on the reform of towns
domain: delegation
unit: '次'
quantity: quantity
published_no: '12'
section: 一(二)2
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'township_coordination_meetings'
