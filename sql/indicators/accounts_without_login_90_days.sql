/*
name_zh: 粤政易90天未登录用户数
name_en: Accounts without log-in for 90 days
domain: account_activation
unit: '名'
kind: stock
decimals: 0
sources: [account_activation]
published: true
description_zh: 累计开通用户中截至期末连续90天没有登录的，开通不足90天的除外
description_en: Of the persons of accounts_opened, those without a log-in on any of the 90 days
    up to the last; opened within them is left out
excluded:
    closed: {zh: 账号已注销, en: the post is 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
    other_post: {zh: 同一用户的其他岗位, en: another post of a person who is counted once}
    logged_in: {zh: 90天内登录过, en: logged in within the 90 days}
    opened_recently: {zh: 开通不足90天, en: opened within the 90 days}
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
        max((last_login_at at time zone 'Asia/Shanghai')::date) over (
            partition by user_id, post_excluded_because is null
        ) as last_login_on,
        min((opened_at at time zone 'Asia/Shanghai')::date) over (
            partition by user_id, post_excluded_because is null
        ) as first_opened_on,
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
            when last_login_on > :last_day - 90 then 'logged_in'
            when first_opened_on > :last_day - 90 then 'opened_recently'
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
