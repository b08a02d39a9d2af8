with file as (
    select distinct
        q.source,
        q.snapshot_date,
        q.file_name,
        q.verdict,
        q.rows_read,
        q.rows_loaded,
        q.rows_quarantined,
        q.rows_skipped,
        q.unknown_bodies
    from mart.quality_scorecard as q
    where
        case
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
)

select
    coalesce(f.title_zh, file.source) as title_zh,
    count(*) as files,
    count(*) filter (where file.verdict = 'refused') as files_refused,
    sum(file.rows_read) as rows_read,
    sum(file.rows_loaded) as rows_loaded,
    sum(file.rows_quarantined) as rows_quarantined,
    sum(file.rows_skipped) as rows_skipped,
    sum(file.unknown_bodies) as unknown_bodies
from file
left join mart.freshness as f on file.source = f.source
group by file.source, f.title_zh
order by file.source
