-- Rows in quarantine that belong to a question: those of the newest register that it reads, and of the files of its events.
with standing as (
    select
        s.source,
        s.snapshot_date,
        s.load_id,
        max(s.snapshot_date) filter (where s.snapshot_date <= r.until_day)
            over (partition by s.source) as newest,
        r.is_register
    from lineage.standing as s
    inner join
        unnest(%(sources)s::text[], %(until_days)s::date[], %(are_registers)s::boolean[])
            as r (source, until_day, is_register)
        on s.source = r.source
    where s.known_at @> %(as_known)s::timestamptz
)

select
    s.source,
    q.record_key,
    q.load_id,
    q.row_number,
    d.file_name,
    d.snapshot_date,
    array_agg(distinct q.rule order by q.rule) as rules
from standing as s
inner join quarantine.rejected_row as q on s.load_id = q.load_id
inner join lineage.load as l on s.load_id = l.load_id
inner join lineage.delivery as d on l.delivery_id = d.delivery_id
where
    case
        when s.is_register then s.snapshot_date = s.newest
        else
            s.snapshot_date between %(first_day)s and %(last_day)s
            or s.load_id in (
                select i.load_id
                from lineage.observation_input as i
                where
                    i.period = %(period)s
                    and i.indicator_code = %(code)s
                    and i.reading = %(reading)s
            )
    end
group by s.source, q.record_key, q.load_id, q.row_number, d.file_name, d.snapshot_date
order by s.source, d.snapshot_date, d.file_name, q.row_number
