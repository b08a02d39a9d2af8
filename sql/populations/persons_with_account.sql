/*
name_zh: 开通账号的人员
name_en: Persons with an account
grain: one row per account and post of the list; the post that was opened first stands for its person
reads: {account_activation: last_day}
excluded:
    closed: {zh: 账号已注销, en: the post is 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
    other_post: {zh: 同一用户的其他岗位, en: another post of a person who is counted once}
*/
with post as (
    select
        *,
        case
            when account_status = '注销' then 'closed'
            when opened_at >= :ends_at then 'opened_later'
        end as post_excluded_because
    from account_activation
),

person as (
    select
        *,
        bool_or(activated_at < :ends_at) over of_person as is_activated,
        max(last_login_at) over of_person as last_login_of_person_at,
        min(opened_at) over of_person as first_opened_at,
        row_number() over (
            of_person
            order by opened_at asc, body_path collate "C" asc
        ) as post_no
    from post
    window of_person as (partition by user_id, post_excluded_because is null)
)

select
    *,
    coalesce(post_excluded_because, case when post_no > 1 then 'other_post' end) as excluded_because
from person
