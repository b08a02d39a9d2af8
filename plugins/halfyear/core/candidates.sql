select
    d.delivery_id,
    d.snapshot_date,
    d.sequence,
    d.sha256,
    l.load_id,
    l.delivery_id = d.delivery_id as is_loader,
    l.state = 'checked' as is_usable,
    l.rows_passed + l.rows_quarantined as rows_given,
    l.rows_quarantined,
    a.delivery_id is not null as is_accepted
from lineage.delivery as d
inner join lineage.delivery as same
    on
        d.source = same.source
        and d.snapshot_date = same.snapshot_date
        and d.sha256 = same.sha256
inner join lineage.load as l
    on same.delivery_id = l.delivery_id and l.replaced_at is null
left join lineage.acceptance as a on d.delivery_id = a.delivery_id
where d.source = %(source)s and d.sequence is not null
