/*
name_zh: 其中：自建系统数据目录
name_en: Catalogue entries confirmed, of systems built by the city
domain: data_catalogue
unit: '条'
kind: stock
decimals: 0
sources: [data_catalogue]
published_no: '46'
section: 一(三)4
published: true
description_zh: 已确认目录中所属系统类型为自建系统的条目
description_en: Of the confirmed entries, those of systems built by the city
excluded:
    not_confirmed: {zh: 提供单位尚未确认或已退回, en: the providing body has not confirmed the entry}
    vertical: {zh: 垂直系统的目录, en: an entry of a vertical system}
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
            when system_kind <> '自建系统' then 'vertical'
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
