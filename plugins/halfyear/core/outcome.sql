select
    d.source,
    d.file_name,
    d.verdict,
    coalesce(l.rows_read, 0) as rows_read,
    coalesce(l.rows_loaded, 0) as rows_loaded,
    coalesce(l.rows_quarantined, 0) as rows_quarantined,
    coalesce(l.rows_skipped, 0) as rows_skipped,
    coalesce(l.values_nulled, 0) as values_nulled,
    d.reason_zh,
    d.reason_en
from lineage.delivery as d
left join lineage.load as l on d.delivery_id = l.delivery_id
where d.delivery_id = %(delivery_id)s
