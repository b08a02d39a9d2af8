/*
of: approval_interface
reads: last_day
name_zh: 已对接国垂省垂系统数
name_en: Vertical systems connected
unit: '个'
description_zh: 期末工程审批系统已对接的国垂、省垂系统，按系统计
description_en: 'Vertical systems of state and province to which the approval system is connected
    on the last day, by system'
excluded:
    not_connected: {zh: 未对接或联调中, en: not connected yet}
    other_interface: {zh: 同一系统的其他接口, en: another interface of a system that is counted once}
*/
with system_of as (
    -- A system counts once, by its connected interface with the smallest number.
    select
        *,
        row_number() over (
            partition by system_name, status
            order by record_key collate "C" asc
        ) as interface_no
    from approval_interface
)

select
    *,
    case
        when status <> '已对接' then 'not_connected'
        when interface_no > 1 then 'other_interface'
    end as left_out_because
from system_of
