create or replace function indicators.is_service() returns boolean
language sql stable set search_path = pg_catalog as $$
    select session_user = 'halfyear_publisher' or pg_has_role(session_user, n.nspowner, 'usage')
    from pg_catalog.pg_namespace as n
    where n.nspname = 'indicators'
$$;
comment on function indicators.is_service() is
'Whether the session is of the pipeline, which reads Airflow''s records, or of the owner: halfyear_publisher as it logged in';
