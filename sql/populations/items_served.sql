/*
name_zh: 可办理的政务服务事项
name_en: Government service items that can be applied for
grain: one row per item and implementing body of the list; headings are none
reads: {service_item: last_day}
excluded:
    not_published: {zh: 未在用：暂停或取消, en: suspended or cancelled}
    heading_kind: {zh: 事项类型为00（行政权力事项），只是类目, en: 'kind 00 (行政权力事项), a heading'}
*/
select
    *,
    coalesce(service_scope = any(:cross_province_scope), false) as is_across_provinces,
    coalesce(service_scope = any(:cross_region_scope), false) as is_across_regions,
    case
        when item_status <> all(:published_item_status) then 'not_published'
        when item_kind = '行政权力事项' then 'heading_kind'
    end as excluded_because
from service_item
