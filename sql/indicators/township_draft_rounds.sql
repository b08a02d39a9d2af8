/*
of: manual_returns
name_zh: 征求意见稿轮次
name_en: Rounds of drafts for comment
domain: delegation
unit: '轮'
quantity: quantity
published_no: '13'
section: 一(二)2
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
select *
from manual_returns
where indicator_code = 'township_draft_rounds'
