-- The least that the indicators of hotline_call can cost: one scan of what is known of the half-year, by body.
with known as (
    select
        *,
        extract(epoch from closed_at - dispatched_at) / 3600 as handling_hours
    from core.hotline_call_2022_s1
    where upper_inf(known_at)
)

select
    body_code,
    count(*) as calls,
    count(*) filter (where replied_at <= due_at) as replied_on_time,
    count(*) filter (where satisfaction = '满意') as satisfied,
    count(*) filter (where satisfaction in ('满意', '基本满意', '不满意')) as rated,
    count(*) filter (where call_status = '已退单') as returned,
    sum(cost_yuan) as cost_yuan,
    avg(handling_hours) filter (where call_status <> '已退单') as average_handling_hours
from known
group by body_code
