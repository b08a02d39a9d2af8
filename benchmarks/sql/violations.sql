-- How many rows of a staged hotline_call break each rule: what rule.suite asks, by hand, in one scan.
-- A second statement asks for uniqueness, which no scan can answer along the way.
select
    count(*) filter (where call_no is null) as call_no_required,
    count(*) filter (where call_source is null) as call_source_required,
    count(*) filter (where call_source not in ('省12345', '市12345', '本级'))
        as call_source_enumeration,
    count(*) filter (where request_kind is null) as request_kind_required,
    count(*) filter (where request_kind not in ('咨询', '求助', '投诉', '举报', '建议', '其他'))
        as request_kind_enumeration,
    count(*) filter (where body_name is null) as body_name_required,
    count(*) filter (where dispatched_at is null) as dispatched_at_required,
    count(*) filter (where dispatched_at < '1990-01-01' or dispatched_at >= :snapshot_end)
        as dispatched_at_within_range,
    count(*) filter (where due_at is null) as due_at_required,
    count(*) filter (where due_at < '1990-01-01') as due_at_within_range,
    count(*) filter (where replied_at < '1990-01-01' or replied_at >= :snapshot_end)
        as replied_at_within_range,
    count(*) filter (where closed_at < '1990-01-01' or closed_at >= :snapshot_end)
        as closed_at_within_range,
    count(*) filter (where revisited_on < '1990-01-01' or revisited_on > :snapshot_date)
        as revisited_on_within_range,
    count(*) filter (where call_status is null) as call_status_required,
    count(*) filter (
        where call_status not in ('待签收', '办理中', '已回复', '已办结', '已退单', '已改派')
    ) as call_status_enumeration,
    count(*) filter (where satisfaction not in ('满意', '基本满意', '不满意', '未评价'))
        as satisfaction_enumeration,
    count(*) filter (where call_seconds < 0) as call_seconds_minimum,
    count(*) filter (where transfer_count < 0) as transfer_count_minimum,
    count(*) filter (where cost_yuan < 0) as cost_yuan_minimum,
    count(*) filter (where is_urgent is null) as is_urgent_required,
    count(*) filter (where replied_at < dispatched_at) as replied_after_dispatch,
    count(*) filter (where closed_at < dispatched_at) as closed_after_dispatch
from staged;

with repeated as (
    select count(*) as rows
    from staged
    group by record_key
    having count(*) > 1
)

select coalesce(sum(rows), 0) as record_key_unique
from repeated;
