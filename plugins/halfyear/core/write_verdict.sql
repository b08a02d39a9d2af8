-- A load that was refused for itself keeps its own reason.
update lineage.delivery as delivery
set
    verdict = %(verdict)s,
    rule = coalesce(%(rule)s, own.rule),
    reason_zh = coalesce(%(reason_zh)s, own.reason_zh),
    reason_en = coalesce(%(reason_en)s, own.reason_en),
    judged_at = clock_timestamp()
from (select 1) as one
left join lineage.load as own
    on
        own.delivery_id = %(delivery_id)s
        and own.state = 'refused'
        and own.replaced_at is null
where
    delivery.delivery_id = %(delivery_id)s
    and (delivery.verdict, delivery.rule)
    is distinct from (%(verdict)s, coalesce(%(rule)s, own.rule))
