/*
of: calls_dispatched
name_zh: 热线话单处理成本（基准测试）
name_en: Cost of hotline calls (benchmark)
unit: '元'
decimals: 2
quantity: cost_yuan
description_zh: 最近派单时间在本期的话单的处理成本
description_en: Cost of the calls last dispatched in the period
*/
