-- What was printed of half-years, quarters and months, and whether it agrees with itself.

-- 1.2万件 is 12000 件, of which the last printed digit counts thousands. Only the report numbers its figures.
alter table indicators.published_figure
drop constraint published_figure_decimals_check,
add constraint published_figure_decimals_check check (decimals between -12 and 12),
alter column published_no drop not null,
add constraint published_figure_no_check check (published_no is not null or period !~ '-S[12]$');
comment on column indicators.published_figure.period is 'SDMX code of a half-year (2022-S1), a quarter (2022-Q1) or a month (2022-03)';
comment on column indicators.published_figure.decimals is
'How many decimals were printed; -3 where the last printed digit counts thousands';

create table indicators.printed_only (
    indicator_code text primary key,
    name_zh text not null,
    name_en text not null
);
comment on table indicators.printed_only is
'One row per code that is only printed, which no indicator has, from expectations/indicators/printed_only.csv';

alter table indicators.unit add column is_measured boolean not null default false;
comment on column indicators.unit.is_measured is
'Whether a number in it is rounded, however it is printed; a whole number in any other unit is a count, and exact';

create table indicators.printed_identity (
    period text not null,
    rule text not null,
    period_kind text not null check (period_kind in ('half_year', 'quarter', 'month')),
    description_zh text not null,
    description_en text not null,
    is_kept boolean not null,
    figures jsonb not null,
    difference numeric not null,
    tolerance numeric not null,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (period, rule)
);
comment on table indicators.printed_identity is
'One row per period and identity over printed figures, where they give both sides; written by migrate only';
comment on column indicators.printed_identity.difference is 'Left side minus right side';
comment on column indicators.printed_identity.tolerance is 'By how much rounding to the printed digits may move the difference';

comment on column indicators.identity_check.element_count is
'Of how many both sides are known: the city and bodies, or the city only';
