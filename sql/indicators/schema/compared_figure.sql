create view indicators.compared_figure as
-- A sealed figure keeps the words and the rounding that it was sealed with, and stays when its definition goes.
with figure as not materialized (
    select
        i.*,
        coalesce(z.name_zh, t.name_zh) as name_zh,
        coalesce(z.name_en, t.name_en) as name_en,
        coalesce(z.domain, t.domain) as domain,
        coalesce(z.domain_zh, t.domain_zh) as domain_zh,
        coalesce(z.domain_en, t.domain_en) as domain_en,
        coalesce(z.kind, t.kind) as kind,
        coalesce(z.decimals, t.decimals) as decimals,
        coalesce(z.sort_order, t.sort_order) as sort_order
    from indicators.in_force as i
    left join indicators.definition as t
        on i.indicator_code = t.indicator_code and i.reading = t.reading
    left join indicators.sealed_definition as z
        on
            i.period = z.period
            and i.vintage = z.vintage
            and i.indicator_code = z.indicator_code
            and i.reading = z.reading
    where i.is_published
)

select
    f.period,
    f.indicator_code,
    f.reading,
    f.body_code,
    f.body_key,
    f.numerator,
    f.denominator,
    f.value,
    f.printed,
    f.first_printed,
    f.vintage,
    f.unit,
    f.definition_hash,
    f.computed_at,
    coalesce(f.body_name, case when f.body_code is null then '全市' else b.name end) as body_name,
    case
        when f.compared is not null then f.compared -> 'previous'
        when p.period is not null
            then indicators.comparison(
                f.kind, f.value, f.unit, p.value, p.printed, p.unit, p.vintage, p.first_printed,
                case when f.definition_hash = p.definition_hash then 1 else pl.factor end
            )
    end as previous,
    case
        when f.compared is not null then f.compared -> 'year_ago'
        when y.period is not null
            then indicators.comparison(
                f.kind, f.value, f.unit, y.value, y.printed, y.unit, y.vintage, y.first_printed,
                case when f.definition_hash = y.definition_hash then 1 else yl.factor end
            )
    end as year_ago,
    f.name_zh,
    f.name_en,
    f.domain,
    f.domain_zh,
    f.domain_en,
    f.kind,
    f.decimals,
    f.sort_order
from figure as f
-- By the half-years that they precede, so that a question for one half-year reads three by their indexes.
left join indicators.in_force as p
    on
        f.period = p.next_period
        and f.indicator_code = p.indicator_code
        and f.body_key = p.body_key
        and p.is_published
        and f.compared is null
left join indicators.in_force as y
    on
        f.period = y.next_year_period
        and f.indicator_code = y.indicator_code
        and f.body_key = y.body_key
        and y.is_published
        and f.compared is null
left join indicators.series_link as pl
    on
        f.indicator_code = pl.indicator_code
        and p.definition_hash = pl.from_hash
        and f.definition_hash = pl.to_hash
left join indicators.series_link as yl
    on
        f.indicator_code = yl.indicator_code
        and y.definition_hash = yl.from_hash
        and f.definition_hash = yl.to_hash
left join core.body as b on f.body_code = b.code;
comment on view indicators.compared_figure is
'The published figures in force, each with the half-years that it is compared with: as it was sealed, or as it is now';
