/*
of: hotline_call
reads: due_at
name_zh: 热线话单按时回复率（基准测试）
name_en: On-time reply rate of hotline calls (benchmark)
unit: '%'
kind: ratio
description_zh: 办理时限在本期的话单（含已退单）中在时限前回复的比例
description_en: 'Share of the calls due in the period, returned ones too, that were replied to
    by then'
*/
select
    *,
    replied_at <= due_at as is_counted
from hotline_call
