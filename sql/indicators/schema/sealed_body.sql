create view indicators.sealed_body as
select
    s.period,
    s.vintage,
    b.body_code,
    b.body_name
from indicators.sealed_print as s
cross join lateral jsonb_to_recordset(s.content::jsonb) as b (body_code text, body_name text)
where s.page = 'bodies';
comment on view indicators.sealed_body is 'One row per vintage and body: its name when the vintage was sealed';
