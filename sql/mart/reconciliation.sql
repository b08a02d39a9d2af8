/*
view: reconciliation
description: >-
    对账 One row per half-year and printed figure: what was printed beside what the rows say, with a verdict.
    Figures are matched by their code and never by their value
columns:
    period: 半年期 SDMX code of the half-year
    published_no: 报告编号 Number of the figure in the half-year report
    indicator_code: 指标代码 Code of the indicator
    section: 报告章节 Section of the half-year report
    name_zh: 中文名 Name in Chinese; null when no definition has the code
    name_en: 英文名 Name in English
    unit: 单位 Unit in which it was printed
    published_printed: 公布值 As it stands in the report, words included
    published_value: 公布数值 The number that was printed
    computed_printed: 计算印刷值 What the rows would print; — when nothing is known
    computed_value: 计算值 The exact value
    numerator: 分子 Sum of quantity over the rows that count
    denominator: 分母 The same over the rows of the denominator, for ratios and averages
    difference: 差 Computed, rounded to the printed decimals, minus printed; null without a computed value
    verdict: >-
        结论 一致 equal as printed, 舍入差 equal at another rounding, 口径差 another reading reproduces it,
        差异 different, 无来源 nothing computed
    reading: 口径 For 口径差 the reading that reproduces the print
    explanation_zh: 说明 How the verdict comes about
    explanation_en: 英文说明 The same in English
    possible_denominators: >-
        可能的分母 For a share that is printed without its denominator: which counts could print it, together
        with the other shares of the same thing
    status: 状态 sealed or provisional
    sort_order: 次序 Order of the report's tables
*/
-- Not materialized, so that a condition on the half-year reaches this select.
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
        round(f.computed_value, f.decimals) - f.published_value as difference,
        case
            when f.computed_value is null then '无来源'
            when f.defined_unit <> f.unit then '差异'
            when round(f.computed_value, f.decimals) = f.published_value then '一致'
            when r.zh is not null then '舍入差'
            when o.reading is not null then '口径差'
            else '差异'
        end as verdict
    from figure as f
    -- The first way of rounding that gives the printed value.
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
                round(round(f.computed_value, f.decimals + 1), f.decimals)
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
    -- The first other reading that gives the printed value.
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
    on j.period = p.period and coalesce(j.shares_of, j.indicator_code) = p.shares_of
