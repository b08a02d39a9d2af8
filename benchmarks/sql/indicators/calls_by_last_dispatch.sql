/*
of: calls_dispatched
name_zh: 热线话单数，按最近派单（基准测试）
name_en: Hotline calls by last dispatch (benchmark)
unit: '张'
description_zh: 最近派单时间在本期的话单
description_en: Calls last dispatched in the period
*/
