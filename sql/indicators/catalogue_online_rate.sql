/*
name_zh: 目录发布率
name_en: Catalogue online rate
domain: data_catalogue
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [data_catalogue]
published: true
description_zh: 已确认目录中期末在线的比例
description_en: Share of the confirmed entries that are online on the last day
excluded:
    not_confirmed: {zh: 提供单位尚未确认或已退回, en: the providing body has not confirmed the entry}
*/
with online_publication as (
    select value
    from core.value_set
    where value_set = 'online_publication' and valid_at @> :last_day
),

listed as (
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
    excluded_because is null
    and publication in (select online_publication.value from online_publication) as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'data_catalogue' as source,
    record_key,
    load_id,
    row_number
from judged
