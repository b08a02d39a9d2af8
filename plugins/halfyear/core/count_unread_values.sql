-- What the reader could not use broke no rule of the contract, and is counted beside the rules.
insert into lineage.check_result (
    load_id, rule, column_name, severity, dimension, success, element_count, unexpected_count,
    description_zh, description_en
)
select
    load_id,
    rule,
    column_name,
    'warning' as severity,
    'normative' as dimension,
    false as success,
    %(rows_read)s as element_count,
    count(*) as unexpected_count,
    min(reason_zh) as description_zh,
    min(reason_en) as description_en
from quarantine.rejected_value
where load_id = %(load_id)s and rule <> all(%(rules)s)
group by load_id, rule, column_name
