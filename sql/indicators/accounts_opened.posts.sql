/*
name_zh: 粤政易累计开通账号数（按岗位）
name_en: Posts opened
domain: account_activation
unit: '名'
kind: stock
decimals: 0
sources: [account_activation]
published: false
description_zh: 期末已开通且未注销的账号，一人多岗分别计
description_en: Posts that were opened by the last day and are not 注销; a person with several
    counts several times
excluded:
    closed: {zh: 账号已注销, en: the post is 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
*/
with post as (
    select
        *,
        case
            when account_status = '注销' then 'closed'
            when (opened_at at time zone 'Asia/Shanghai')::date >= :next_day then 'opened_later'
        end as excluded_because
    from core.account_activation_resolved
    where known_at @> :as_known and valid_at @> :last_day
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'account_activation' as source,
    record_key,
    load_id,
    row_number
from post
