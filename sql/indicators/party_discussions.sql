/*
of: manual_returns
name_zh: 交流研讨次数
name_en: Discussions
unit: '次'
quantity: quantity
published_no: '3'
section: 一(一)1
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'party_discussions'
