/*
name_zh: 在用政务服务事项
name_en: Government service items in use
grain: one row per item and implementing body of the list
reads: {service_item: last_day}
excluded:
    not_published: {zh: 未在用：暂停或取消, en: suspended or cancelled}
*/
select
    *,
    case
        when item_status <> all(:published_item_status) then 'not_published'
    end as excluded_because
from service_item
