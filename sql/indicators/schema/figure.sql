create view indicators.figure as
select
    period,
    indicator_code,
    reading,
    body_code,
    numerator,
    denominator,
    value,
    printed,
    case when vintage is null then 'provisional' else 'sealed' end as status,
    vintage,
    definition_hash,
    computed_at,
    body_key
from indicators.in_force;

comment on view indicators.figure is
'The value in force: that of the newest vintage where the period is sealed, else the provisional one';
