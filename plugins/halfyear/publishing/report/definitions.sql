select
    d.indicator_code,
    d.name_zh,
    d.description_zh,
    d.unit,
    d.definition_hash,
    h.definition_hash as sealed_hash,
    (
        select string_agg(coalesce(f.title_zh, s.source), '、' order by s.place)
        from unnest(d.sources) with ordinality as s (source, place)
        left join mart.freshness as f on s.source = f.source
    ) as sources
from mart.definition as d
left join mart.indicator_history as h
    on
        h.period = %(period)s
        and h.vintage = %(vintage)s
        and h.status = 'sealed'
        and h.body_code is null
        and d.indicator_code = h.indicator_code
        and d.reading = h.reading
where d.is_published and d.indicator_code = any(%(codes)s)
order by d.sort_order
