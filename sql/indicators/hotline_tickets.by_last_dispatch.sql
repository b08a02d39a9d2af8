/*
of: hotline_ticket
reads: dispatched_at
name_zh: 12345热线工单数（按最近派单）
name_en: Hotline tickets by last dispatch
unit: '张'
description_zh: 最近派单时间在本期的工单
description_en: Tickets last dispatched in the period
*/
