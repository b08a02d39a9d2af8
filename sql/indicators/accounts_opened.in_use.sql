/*
name_zh: 粤政易累计开通用户数（仅正常）
name_en: Accounts opened and in use
domain: account_activation
unit: '名'
kind: stock
decimals: 0
sources: [account_activation]
published: false
description_zh: 期末账号状态为正常的用户，不含停用
description_en: Persons with a post that was opened by the last day and is 正常; 停用 is left out
excluded:
    not_in_use: {zh: 账号停用或注销, en: the post is 停用 or 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
    other_post: {zh: 同一用户的其他岗位, en: another post of a person who is counted once}
*/
with post as (
    select
        *,
        case
            when account_status <> '正常' then 'not_in_use'
            when (opened_at at time zone 'Asia/Shanghai')::date >= :next_day then 'opened_later'
        end as post_excluded_because
    from core.account_activation_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

person as (
    -- A person counts once, in the body of the post that was opened first.
    select
        *,
        row_number() over (
            partition by user_id, post_excluded_because is null
            order by opened_at asc, body_path collate "C" asc
        ) as post_no
    from post
),

judged as (
    select
        *,
        case
            when post_excluded_because is not null then post_excluded_because
            when post_no > 1 then 'other_post'
        end as excluded_because
    from person
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
from judged
