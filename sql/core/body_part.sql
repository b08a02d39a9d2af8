create view core.body_part as
select
    code as body_code,
    code as part_code
from core.body
union all
select
    parent_code as body_code,
    code as part_code
from core.body
where level = '村' and parent_code is not null;
comment on view core.body_part is
'The bodies whose rows count for a body: itself, and for a town its villages';
