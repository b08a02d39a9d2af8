/*
view: reference_judgement
description: >-
    引用核对 One row per source whose rows name bodies or records of others: whether they were judged as they are now
columns:
    source: 来源 Source
    judged_at: >-
        核对时间 When mart.unknown_body and mart.unknown_reference last looked at its rows; null: never
    is_current: 是否最新 Whether neither rows nor lists have changed since
    seen: >-
        依据 What a judgement of now would speak of: the newest instant of each source, and the declarations
*/
with newest as (
    -- In seconds, which read alike in every time zone.
    select
        source,
        extract(epoch from max(greatest(lower(known_at), upper(known_at)))) as known_at
    from lineage.standing
    group by source
),

declarations as (
    select fingerprint
    from lineage.declaration
    where name = 'warehouse'
),

now_seen as (
    select
        s.source,
        jsonb_build_object(
            'declarations', min(d.fingerprint),
            'known_at', jsonb_object_agg(named.source, n.known_at)
        ) as seen
    from lineage.source as s
    left join declarations as d on true
    cross join unnest(s.reads) as named (source)
    left join newest as n on named.source = n.source
    group by s.source
)

select
    n.source,
    j.judged_at,
    coalesce(j.seen = n.seen, false) as is_current,
    n.seen
from now_seen as n
left join lineage.reference_judgement as j on n.source = j.source
