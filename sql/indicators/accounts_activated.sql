/*
name_zh: 粤政易累计激活用户数
name_en: Accounts activated
domain: account_activation
unit: '名'
kind: stock
decimals: 0
sources: [account_activation]
published_no: '49'
section: 一(三)6
published: true
description_zh: 累计开通用户中期末前任一岗位已激活的
description_en: Of the persons of accounts_opened, those with any such post activated by the
    last day
excluded:
    closed: {zh: 账号已注销, en: the post is 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
    other_post: {zh: 同一用户的其他岗位, en: another post of a person who is counted once}
    not_activated: {zh: 期末前未激活, en: no post activated by the last day}
*/
with post as (
    select
        *,
        case
            when account_status = '注销' then 'closed'
            when (opened_at at time zone 'Asia/Shanghai')::date >= :next_day then 'opened_later'
        end as post_excluded_because
    from core.account_activation_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

person as (
    -- A person counts once, in the body of the post that was opened first.
    select
        *,
        bool_or((activated_at at time zone 'Asia/Shanghai')::date < :next_day) over (
            partition by user_id, post_excluded_because is null
        ) as is_activated,
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
            when is_activated is not true then 'not_activated'
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
