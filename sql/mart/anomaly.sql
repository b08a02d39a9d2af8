/*
view: anomaly
description: >-
    异动 One row per finding before a seal: a delivery, a body in it or a figure that is unlike all that its source gave
    before. Each rule is silent until there is a past: three deliveries, or four moves of a figure
columns:
    period: 半年期 SDMX code of the half-year
    name: 名称 What the finding is called when it is explained (--except NAME=SENTENCE), as counter_case.volume
    kind: >-
        种类 volume (rows per covered day, of a register rows in all or of one body), body_vanished (named in every delivery
        before), repeated_rows (the rows of an earlier delivery under another day), figure_moved (more than it ever did)
    source: 来源 Source; null for a figure
    snapshot_date: 快照日期 Day that the delivery speaks for; null for a figure
    file_name: 文件名 Its file, null for a figure
    body_code: 单位代码 Body, where the finding is about one; as delivered, where no list knows it
    body_name: 单位名称 Name of that body, where a list knows it
    value: 值 Rows, of events per covered day; of a figure its move, in percentage points or as a share of the mean of both
    median: 中位数 Median of the same before; of repeated rows null
    smallest: 最小值 The smallest before
    largest: 最大值 The largest before
    past: 比较数 How many deliveries or moves it was compared with
    indicator_codes: 指标代码 The published indicators that it touches
*/
with judged as (
    select
        v.*,
        e.keeps_bodies,
        n.indicator_codes
    from lineage.standing_volume as v
    inner join lineage.source as e on v.source = e.source
    inner join indicators.source_reader as n on v.source = n.source
),

whole as (
    select
        j.period,
        j.source,
        j.snapshot_date,
        j.file_name,
        j.rows,
        j.days,
        j.past_rates as past,
        j.indicator_codes
    from judged as j
    where indicators.is_outside_past(j.rows, j.days, j.past_rates)
),

-- Loads from before parts were kept have no past of this kind; a file without rows names no body, and is found by its volume.
body as (
    select
        j.period,
        j.source,
        j.snapshot_date,
        j.file_name,
        j.mode,
        j.keeps_bodies,
        j.days,
        j.indicator_codes,
        b.body_code,
        b.rows,
        b.past,
        b.bodies,
        b.past_loads
    from judged as j
    cross join
        lateral (
            select
                p.body_code,
                coalesce(sum(p.rows) filter (where p.load_id = j.load_id), 0)::bigint as rows,
                array_agg(p.rows / k.days::double precision) filter (where p.load_id <> j.load_id)
                    as past,
                count(*) over () as bodies,
                (
                    select count(distinct q.load_id)
                    from lineage.load_part as q
                    where q.load_id = any(j.past_loads)
                ) as past_loads
            from lineage.load_body as p
            inner join unnest(j.past_loads || j.load_id, j.past_days || j.days) as k (load_id, days)
                on p.load_id = k.load_id
            where p.body_code is not null
            group by p.body_code
        ) as b
    where j.rows > 0 and cardinality(j.past_loads) >= 3
),

part as (
    select
        b.*,
        case when b.rows = 0 then 'body_vanished' else 'volume' end as kind
    from body as b
    cross join
        lateral (
            select percentile_cont(0.5) within group (order by rate) as median
            from unnest(b.past) as rate
        ) as m
    where
        case
            when b.rows = 0
                then
                    b.past_loads >= 3
                    and cardinality(b.past) = b.past_loads
                    and (
                        b.keeps_bodies
                        -- A body with one record is a record that ended, which the register itself tells.
                        or (b.mode = 'register' and m.median >= 2)
                        -- Of events nobody need have any: by chance one of all bodies has none in a case of a hundred.
                        or (b.mode = 'events' and exp(-m.median * b.days) * b.bodies < 0.01)
                    )
            else b.mode = 'register' and indicators.is_outside_past(b.rows, 1, b.past)
        end
),

repeated as (
    select
        j.period,
        j.source,
        j.snapshot_date,
        j.file_name,
        j.rows,
        j.days,
        j.indicator_codes,
        r.past
    from judged as j
    cross join
        lateral (
            with content as (
                select
                    q.load_id,
                    row(sum(q.rows), sum(q.digest)) as rows
                from lineage.load_part as q
                where q.load_id = any(j.past_loads || j.load_id)
                group by q.load_id
            )

            select
                count(*) filter (where c.load_id <> j.load_id) as past,
                count(distinct c.rows) filter (where c.load_id <> j.load_id) as different,
                bool_or(c.load_id <> j.load_id and c.rows = own.rows) as is_repeated
            from content as c
            cross join content as own
            where own.load_id = j.load_id
        ) as r
    -- A list that often stays as it is says nothing by doing so again. Events never happen twice.
    where
        r.is_repeated
        and (j.mode = 'events' or (r.past >= 3 and r.past - r.different <= r.past / 10))
),

move as (
    select
        f.period,
        f.indicator_code,
        case
            when d.kind = 'ratio' then abs(f.value - b.value)
            when f.value = b.value then 0
            else 2 * abs(f.value - b.value) / (abs(f.value) + abs(b.value))
        end::double precision as size,
        -- Below this a move is none worth a sentence, however still the figure was.
        case when d.kind = 'ratio' then 0.2 else 0.02 end as least_scale
    from indicators.in_force as f
    inner join indicators.in_force as b
        on
            f.indicator_code = b.indicator_code
            and f.period = b.next_period
            and f.unit is not distinct from b.unit
            and f.definition_hash = b.definition_hash
            and b.body_code is null
            and b.is_published
    inner join indicators.definition as d
        on f.indicator_code = d.indicator_code and f.reading = d.reading
    where f.body_code is null and f.is_published and f.value is not null and b.value is not null
),

moves as (
    select
        *,
        array_agg(size) over (
            partition by indicator_code order by period
            rows between 24 preceding and 1 preceding
        ) as past
    from move
),

moved as (
    select
        m.period,
        m.indicator_code,
        m.size,
        m.past
    from moves as m
    cross join
        lateral (
            select percentile_cont(0.5) within group (order by size) as median
            from unnest(m.past) as size
        ) as c
    cross join
        lateral (
            select
                percentile_cont(0.5) within group (order by abs(size - c.median)) as deviation,
                max(size) as largest
            from unnest(m.past) as size
        ) as s
    where
        cardinality(m.past) >= 4
        and m.size > s.largest
        -- Iglewicz and Hoaglin (1993): the modified z-score, by the median absolute deviation.
        and m.size - c.median > 3.5 * greatest(1.4826 * s.deviation, m.least_scale)
),

found as (
    select
        period,
        source || '.volume' as name,
        'volume' as kind,
        source,
        snapshot_date,
        file_name,
        null as body_code,
        rows / days::double precision as value,
        past,
        cardinality(past) as compared,
        indicator_codes
    from whole
    union all
    select
        period,
        source || '.' || kind as name,
        kind,
        source,
        snapshot_date,
        file_name,
        body_code,
        rows / days::double precision as value,
        past,
        cardinality(past) as compared,
        indicator_codes
    from part
    union all
    select
        period,
        source || '.repeated_rows' as name,
        'repeated_rows' as kind,
        source,
        snapshot_date,
        file_name,
        null as body_code,
        rows / days::double precision as value,
        null as past,
        past as compared,
        indicator_codes
    from repeated
    union all
    select
        period,
        indicator_code || '.figure_moved' as name,
        'figure_moved' as kind,
        null as source,
        null as snapshot_date,
        null as file_name,
        null as body_code,
        size as value,
        past,
        cardinality(past) as compared,
        array[indicator_code] as indicator_codes
    from moved
)

select
    f.period,
    f.name,
    f.kind,
    f.source,
    f.snapshot_date,
    f.file_name,
    f.body_code,
    b.name as body_name,
    f.value,
    p.median,
    p.smallest,
    p.largest,
    f.compared as past,
    f.indicator_codes
from found as f
left join core.body as b on f.body_code = b.code
cross join lateral (
    select
        percentile_cont(0.5) within group (order by each.value) as median,
        min(each.value) as smallest,
        max(each.value) as largest
    from unnest(f.past) as each (value)
) as p
