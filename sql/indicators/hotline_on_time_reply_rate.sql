/*
of: hotline_ticket
reads: due_at
name_zh: 热线工单按时回复率
name_en: On-time reply rate of hotline tickets
unit: '%'
kind: ratio
published_no: '35'
section: 一(二)5三
description_zh: 办理时限在本期的工单（含已退单）中在时限前回复的比例
description_en: 'Share of the tickets due in the period, returned ones too, that were replied to
    by then'
*/
select
    *,
    replied_at <= due_at as is_counted
from hotline_ticket
