/*
of: counter_case
reads: closed_at
name_zh: 政务服务大厅办结事项宗数
name_en: Cases closed at the counters
unit: '宗'
description_zh: 办结时间在本期的窗口办件
description_en: Cases closed in the period
*/
