/*
name_zh: 已发布上线目录数（仅已发布）
name_en: Catalogue entries online, 已发布 only
domain: data_catalogue
unit: '条'
kind: stock
decimals: 0
sources: [data_catalogue]
published: false
description_zh: 期末发布状态为已发布的目录，不含撤销中的
description_en: Entries whose publication state on the last day is 已发布; those under withdrawal
    are left out
excluded:
    under_withdrawal: {zh: 撤销待审核或撤销已驳回, en: under withdrawal}
    not_online: {zh: 期末不在线, en: not online on the last day}
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
            when publication in ('撤销待审核', '撤销已驳回') then 'under_withdrawal'
            when publication <> '已发布' then 'not_online'
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
