create view indicators.print_in_force as
select
    s.period,
    s.vintage,
    s.page,
    s.content::jsonb as content
from indicators.sealed_print as s
where
    s.vintage = (
        select max(v.vintage)
        from indicators.vintage as v
        where v.period = s.period
    );
comment on view indicators.print_in_force is
'The pages of the newest vintage of each half-year: what is printed of it beside its figures';
