/*
name_zh: 承接的下放事项
name_en: Items taken over
grain: one row per item, batch and receiving body, numbered within its item, batch and kind of handing over
reads: {devolved_item: effective_on}
*/
with item as (
    select
        *,
        from_level = '地级市' as is_from_prefecture,
        from_level = '本市' and receiving_level = '乡镇' as is_to_town
    from devolved_item
)

select
    *,
    row_number() over (
        partition by batch, item_name, is_from_prefecture, is_to_town
        order by body_name collate "C" asc
    ) as body_no
from item
