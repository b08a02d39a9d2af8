/*
of: enterprise_cases_accepted
name_zh: 企业服务中心受理宗数
name_en: Cases accepted at the enterprise service centre
unit: '宗'
published_no: '28'
section: 一(二)5一
description_zh: 受理时间在本期的企业服务中心办件，不论办件状态；不含在大厅窗口办件中
description_en: 'Cases accepted in the period, whatever their state; not part of counter_cases'
*/
