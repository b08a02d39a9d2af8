/*
of: manual_returns
name_zh: 主题党日活动次数
name_en: Theme days
unit: '次'
quantity: quantity
published_no: '6'
section: 一(一)1
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'theme_party_days'
