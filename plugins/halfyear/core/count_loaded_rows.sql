update lineage.load as load
set
    rows_loaded = new.rows_loaded,
    rows_skipped = load.rows_read - load.rows_quarantined - new.rows_loaded
from (
    select
        l.load_id,
        case
            when d.verdict in ('loaded', 'loaded_with_quarantine') then l.rows_passed else 0
        end as rows_loaded
    from lineage.load as l
    inner join lineage.delivery as d on l.delivery_id = d.delivery_id
    where d.source = %(source)s and l.replaced_at is null
) as new
where new.load_id = load.load_id and load.rows_loaded <> new.rows_loaded
