create view indicators.identity_now as
select
    c.period,
    c.rule,
    c.description_zh,
    c.description_en,
    c.success as is_kept,
    c.element_count as rows_checked,
    b.body_code,
    case when not c.success then coalesce(n.name, '全市') end as body_name,
    b.figures,
    b.difference,
    c.checked_at
from indicators.identity_check as c
left join indicators.identity_breach as b on c.period = b.period and c.rule = b.rule
left join core.body as n on b.body_code = n.code;
comment on view indicators.identity_now is
'What mart.identity says of a half-year that is not sealed: the identities as they were asked last';
