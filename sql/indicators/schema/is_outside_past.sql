create or replace function indicators.is_outside_past(
    p_rows bigint, p_days integer, p_past double precision[]
) returns boolean
language sql immutable parallel safe
as $function$
select
    count(*) >= 3
    and case
        when p_rows < percentile_cont(0.5) within group (order by rate) * p_days
            then
                p_rows < min(rate) * p_days
                and p_rows < percentile_cont(0.5) within group (order by rate) * p_days / 2
        else
            p_rows > max(rate) * p_days
            and p_rows > percentile_cont(0.5) within group (order by rate) * p_days * 5
    end
    -- What chance alone gives to a count: its square root varies by a half (Anscombe 1948).
    and abs(sqrt(p_rows) - sqrt(percentile_cont(0.5) within group (order by rate) * p_days)) > 1.5
from unnest(p_past) as rate
$function$;

comment on function indicators.is_outside_past(bigint, integer, double precision[]) is
'Whether rows of so many days lie outside of at least three earlier numbers of rows per day: below or above all of them, less'
' than half or more than five times their median, and further from it than three standard deviations of a Poisson count';
