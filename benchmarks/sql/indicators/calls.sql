/*
of: calls_by_first_dispatch
name_zh: 热线话单数（基准测试）
name_en: Hotline calls (benchmark)
unit: '张'
description_zh: 首次派单时间在本期的话单；退单和改派的只计一次
description_en: Calls first dispatched in the period; returned and re-assigned ones count once
*/
