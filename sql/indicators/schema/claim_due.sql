create or replace function indicators.claim_due() returns setof text
language sql
as $function$
with due as (
    select
        d.period,
        coalesce(max(s.stale_id), 0) as newest_mark
    from (select distinct period from indicators.due) as d
    left join indicators.stale as s on d.period = s.period
    group by d.period
)

insert into indicators.announcement as told (period, newest_mark, announced_at)
select
    period,
    newest_mark,
    clock_timestamp() as announced_at
from due
on conflict (period) do update
set
    newest_mark = excluded.newest_mark,
    announced_at = excluded.announced_at
where
    told.newest_mark < excluded.newest_mark
    or told.announced_at < clock_timestamp() - interval '1 hour'
returning period
$function$;

comment on function indicators.claim_due() is
'The due half-years that the scheduler was not told of since their newest mark, or of which nobody told for an hour: from now'
' on it was told';
