/*
of: manual_returns
name_zh: 革命传统教育活动次数
name_en: Activities of revolutionary education
unit: '次'
quantity: quantity
published_no: '5'
section: 一(一)1
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'revolutionary_education_activities'
