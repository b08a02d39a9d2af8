/*
of: account_activation
reads: last_day
name_zh: 粤政易累计开通用户数（仅正常）
name_en: Accounts opened and in use
unit: '名'
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
            when opened_at >= :ends_at then 'opened_later'
        end as post_left_out_because
    from account_activation
),

person as (
    select
        *,
        row_number() over (
            partition by user_id, post_left_out_because is null
            order by opened_at asc, body_path collate "C" asc
        ) as post_no
    from post
)

select
    *,
    coalesce(post_left_out_because, case when post_no > 1 then 'other_post' end) as left_out_because
from person
