/*
of: manual_returns
name_zh: 窗口办理投诉数
name_en: Complaints about counters
domain: counters
unit: '宗'
quantity: quantity
published_no: '27'
section: 一(二)5一
description_zh: 手工填报台账中本期数值之和；没有发生须填报0
description_en: Sum of the quantities of the period in the ledger of manual returns; none has to
    be reported as 0
*/
select *
from manual_returns
where indicator_code = 'counter_complaints'
