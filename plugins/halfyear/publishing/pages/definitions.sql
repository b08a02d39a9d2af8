select
    d.indicator_code,
    d.name_zh,
    d.name_en,
    d.description_zh,
    d.description_en,
    d.unit,
    d.definition_hash,
    (
        select string_agg(coalesce(f.title_zh, s.source), '、' order by s.place)
        from unnest(d.sources) with ordinality as s (source, place)
        left join mart.freshness as f on s.source = f.source
    ) as sources
from mart.definition as d
where d.is_published
order by d.sort_order
