/*
of: counter_cases_accepted
name_zh: 政务服务大厅受理事项宗数
name_en: Cases accepted at the counters
unit: '宗'
published_no: '24'
section: 一(二)5一
description_zh: 受理时间在本期的窗口办件，不论办件状态
description_en: 'Cases accepted in the period, whatever their state'
*/
