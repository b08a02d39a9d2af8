select
    q.dimension_zh,
    sum(q.rules) as rules,
    sum(q.rules_failed) as rules_failed,
    sum(q.values_checked) as values_checked,
    sum(q.values_failed) as values_failed
from mart.quality_scorecard as q
where
    q.dimension is not null
    and case
        when %(vintage)s::integer is null
            then q.snapshot_date between %(first_day)s and %(last_day)s
        else (q.source, q.file_name) in (
            select
                s.source,
                s.file_name
            from mart.sealed_delivery as s
            where s.period = %(period)s and s.vintage = %(vintage)s
        )
    end
group by q.dimension, q.dimension_zh
order by
    array_position(
        array[
            'normative', 'completeness', 'accuracy', 'consistency', 'timeliness', 'accessibility'
        ],
        q.dimension
    )
