/*
of: manual_returns
name_zh: 党支部书记上党课次数
name_en: Lectures by the branch secretary
unit: '次'
quantity: quantity
published_no: '4'
section: 一(一)1
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'party_lectures'
