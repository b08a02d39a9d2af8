create or replace function indicators.name_key(p_name text) returns text
language sql immutable strict set search_path = pg_catalog as $$
    select lower(
        regexp_replace(
            normalize(p_name, nfkc),
            '[[:space:][:cntrl:]\u00AD\u034F\u115F\u1160\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFE00-\uFE0F\uFEFF]',
            '',
            'g'
        )
    )
$$;
comment on function indicators.name_key(text) is
'A name or an account as two of them are compared: one Unicode form, nothing invisible, no case; see halfyear.publishing.person';
