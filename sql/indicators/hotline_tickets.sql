/*
of: tickets_by_first_dispatch
name_zh: 12345热线工单数
name_en: Hotline tickets
unit: '张'
published_no: '34'
section: 一(二)5三
description_zh: 首次派单时间在本期的工单；退单和改派的只计一次
description_en: Tickets first dispatched in the period; returned and re-assigned ones count once
*/
