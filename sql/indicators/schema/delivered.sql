create or replace function indicators.delivered(p_as_known timestamptz)
returns table (source text, first_date date, newest_date date)
language sql stable
as $function$
select
    s.source,
    min(s.snapshot_date) as first_date,
    max(s.snapshot_date) as newest_date
from lineage.standing as s
where s.known_at @> p_as_known
group by s.source
$function$;

comment on function indicators.delivered(timestamptz) is
'The first and the newest day that accepted snapshots of a source speak for, as known at an instant (infinity: now)';
