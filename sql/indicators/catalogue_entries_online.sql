/*
name_zh: 已发布上线目录数
name_en: Catalogue entries online
domain: data_catalogue
unit: '条'
kind: stock
decimals: 0
sources: [data_catalogue]
published_no: '47'
section: 一(三)4
published: true
description_zh: 期末在线的目录：已发布、撤销待审核、撤销已驳回，不论确认状态
description_en: Entries online on the last day (已发布, and under withdrawal 撤销待审核 撤销已驳回),
    confirmed or not
excluded:
    not_online: {zh: 期末不在线, en: not online on the last day}
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
            when
                publication not in (select online_publication.value from online_publication)
                then 'not_online'
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
