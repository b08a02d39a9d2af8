create view indicators.reconciliation_now as
-- Not materialized, so that a condition on the half-year reaches into each of these.
with figure as not materialized (
    select
        p.period,
        p.published_no,
        p.indicator_code,
        p.section,
        p.printed as published_printed,
        p.value as published_value,
        p.unit,
        p.decimals,
        p.shares_of,
        d.name_zh,
        d.name_en,
        d.kind,
        d.unit as defined_unit,
        d.decimals as defined_decimals,
        d.sort_order,
        d.reading as published_reading,
        f.printed as computed_printed,
        f.value as computed_value,
        f.numerator,
        f.denominator,
        f.status,
        f.vintage,
        power(10::numeric, p.decimals) as scale
    from indicators.published_figure as p
    left join indicators.definition as d
        on p.indicator_code = d.indicator_code and d.is_published
    left join indicators.figure as f
        on
            p.period = f.period
            and d.indicator_code = f.indicator_code
            and d.reading = f.reading
            and f.body_key = ''
    -- Only half-years are computed, and no row counts for what is only printed.
    where
        p.period ~ '-S[12]$'
        and not exists (
            select from indicators.printed_only as o
            where o.indicator_code = p.indicator_code
        )
),

share as (
    select
        period,
        coalesce(shares_of, indicator_code) as shares_of,
        published_value,
        decimals
    from figure
    where
        kind = 'ratio' and unit = '%'
        and published_value > 0 and published_value < 100
),

possible_count as (
    -- A count can print a share when one of its whole parts rounds to it.
    select
        s.period,
        s.shares_of,
        n.possible
    from share as s
    cross join generate_series(1, 3000) as n (possible)
    group by s.period, s.shares_of, n.possible
    having
        bool_and(
            round(round(s.published_value * n.possible / 100) * 100 / n.possible, s.decimals)
            = s.published_value
        )
),

possible_counts as (
    select
        period,
        shares_of,
        array_agg(possible order by possible) as counts
    from possible_count
    group by period, shares_of
),

possible_denominator as (
    select
        period,
        shares_of,
        counts[1] as smallest,
        (
            select min(other.possible)
            from unnest(counts) as other (possible)
            where other.possible % counts[1] <> 0
        ) as first_other,
        counts[1:6] as possible_counts
    from possible_counts
),

judged as (
    select
        f.*,
        r.zh as rounding_zh,
        r.en as rounding_en,
        o.reading,
        o.name_zh as reading_zh,
        o.name_en as reading_en,
        e.vintage as printed_vintage,
        e.restated_vintage,
        e.restated_zh,
        e.restated_en,
        round(f.computed_value, f.decimals) - f.published_value as difference,
        case
            when f.computed_value is null then '无来源'
            when f.defined_unit <> f.unit then '差异'
            when round(f.computed_value, f.decimals) = f.published_value then '一致'
            when e.vintage is not null then '已重述'
            when r.zh is not null then '舍入差'
            when o.reading is not null then '口径差'
            else '差异'
        end as verdict
    from figure as f
    -- The vintage that was printed, where a later one restated the figure.
    left join lateral (
        select
            s.vintage,
            t.vintage as restated_vintage,
            w.zh as restated_zh,
            w.en as restated_en
        from indicators.sealed_observation as s
        inner join indicators.restatement as t
            on
                s.period = t.period
                and s.vintage < t.vintage
                and s.indicator_code = t.indicator_code
                and s.reading = t.reading
                and t.body_code is null
        inner join indicators.restatement_reason as w on t.reason = w.reason
        where
            s.period = f.period
            and s.vintage < f.vintage
            and s.indicator_code = f.indicator_code
            and s.reading = f.published_reading
            and s.body_code is null
            and t.vintage <= f.vintage
            and round(s.value, f.decimals) = f.published_value
        order by s.vintage desc, t.vintage asc
        limit 1
    ) as e on true
    -- The first of these ways that gives what was printed.
    left join lateral (
        select
            w.zh,
            w.en
        from (
            values
            (1, '截尾', 'cut off', trunc(f.computed_value * f.scale) / f.scale),
            (2, '进位', 'rounded up', ceil(f.computed_value * f.scale) / f.scale),
            (
                3,
                '四舍六入五成双',
                'rounded half to even',
                case
                    when abs(f.computed_value * f.scale - trunc(f.computed_value * f.scale)) = 0.5
                        then 2 * round(f.computed_value * f.scale / 2) / f.scale
                end
            ),
            (
                4,
                '先保留 ' || (f.decimals + 1) || ' 位再舍入',
                'rounded to ' || (f.decimals + 1) || ' decimals first',
                case
                    when f.decimals >= 0
                        then round(round(f.computed_value, f.decimals + 1), f.decimals)
                end
            ),
            (
                5,
                '按定义的 ' || f.defined_decimals || ' 位再舍入',
                'rounded to the ' || f.defined_decimals || ' decimals of the definition first',
                round(round(f.computed_value, f.defined_decimals), f.decimals)
            ),
            (
                6,
                '只保留 ' || greatest(f.decimals - 1, 0) || ' 位',
                'rounded to ' || greatest(f.decimals - 1, 0) || ' decimals only',
                round(f.computed_value, greatest(f.decimals - 1, 0))
            ),
            (
                7,
                '只保留 ' || greatest(f.decimals - 2, 0) || ' 位',
                'rounded to ' || greatest(f.decimals - 2, 0) || ' decimals only',
                round(f.computed_value, greatest(f.decimals - 2, 0))
            )
        ) as w (place, zh, en, value)
        where w.value = f.published_value
        order by w.place
        limit 1
    ) as r on true
    -- The first of the other readings that gives it.
    left join lateral (
        select
            d.reading,
            d.name_zh,
            d.name_en
        from indicators.figure as o
        inner join indicators.definition as d
            on o.indicator_code = d.indicator_code and o.reading = d.reading
        where
            o.period = f.period
            and o.indicator_code = f.indicator_code
            and o.reading <> f.published_reading
            and o.body_key = ''
            and round(o.value, f.decimals) = f.published_value
            and d.unit = f.unit
        order by d.sort_order
        limit 1
    ) as o on true
)

select
    j.period,
    j.published_no,
    j.indicator_code,
    j.section,
    j.name_zh,
    j.name_en,
    j.unit,
    j.published_printed,
    j.published_value,
    coalesce(j.computed_printed, '—') as computed_printed,
    j.computed_value,
    j.numerator,
    j.denominator,
    case when j.defined_unit = j.unit then j.difference end as difference,
    j.verdict,
    case when j.verdict = '口径差' then j.reading end as reading,
    case j.verdict
        when '已重述'
            then
                '第' || j.printed_vintage || '版如此，第' || j.restated_vintage || '版重述（'
                || j.restated_zh || '）'
        when '舍入差' then j.rounding_zh
        when '口径差' then '口径 ' || j.reading || '：' || j.reading_zh
        when '差异'
            then case
                when j.defined_unit <> j.unit then '单位不同：定义为 ' || j.defined_unit
                else '相差 ' || trim_scale(j.difference)::text || ' ' || j.unit
            end
        when '无来源'
            then case
                when j.name_zh is null then '没有这个指标代码'
                else '没有可用的数据'
            end
    end as explanation_zh,
    case j.verdict
        when '已重述'
            then
                'as vintage '
                || j.printed_vintage
                || ' had it; restated in vintage '
                || j.restated_vintage
                || ': '
                || j.restated_en
        when '舍入差' then j.rounding_en
        when '口径差' then 'reading ' || j.reading || ': ' || j.reading_en
        when '差异'
            then case
                when j.defined_unit <> j.unit
                    then 'another unit: it is defined in ' || j.defined_unit
                else 'differs by ' || trim_scale(j.difference)::text || ' ' || j.unit
            end
        when '无来源'
            then case
                when j.name_zh is null then 'no indicator has this code'
                else 'nothing is known'
            end
    end as explanation_en,
    case
        when p.first_other is null or p.first_other > 2 * p.smallest
            then
                p.smallest || ' 的倍数 multiples of ' || p.smallest
                || coalesce('（' || p.first_other || ' 以下 below ' || p.first_other || '）', '')
        else array_to_string(p.possible_counts, '、') || '…'
    end as possible_denominators,
    j.status,
    j.sort_order
from judged as j
left join possible_denominator as p
    on j.period = p.period and coalesce(j.shares_of, j.indicator_code) = p.shares_of;
comment on view indicators.reconciliation_now is
'What mart.reconciliation says of a half-year that is not sealed, and of what was recorded as printed since';
