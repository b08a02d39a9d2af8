/*
name_zh: 已确认政务数据资源目录数
name_en: Catalogue entries confirmed
domain: data_catalogue
unit: '条'
kind: stock
decimals: 0
sources: [data_catalogue]
published_no: '44'
section: 一(三)4
published: true
description_zh: 期末目录中确认状态为已确认的条目，不论发布状态
description_en: Entries on the list of the last day that are 已确认, whatever their publication state
excluded:
    not_confirmed: {zh: 提供单位尚未确认或已退回, en: the providing body has not confirmed the entry}
*/
with listed as (
    select *
    from core.data_catalogue_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

judged as (
    select
        *,
        case
            when confirmation <> '已确认' then 'not_confirmed'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'data_catalogue' as source,
    record_key,
    load_id,
    row_number
from judged
