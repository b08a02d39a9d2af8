-- A proposal says which account made it, and until when it holds. The server writes both, not the session.

create or replace function indicators.note_account() returns trigger
language plpgsql set search_path = pg_catalog as $function$
begin
    new.login := session_user;
    new.prepared_at := clock_timestamp();
    -- A day longer than the question of Airflow waits for its answer.
    new.expires_at := clock_timestamp() + interval '15 days';
    if new.way = 'terminal' then
        new.account := coalesce(system_user, '');
    elsif not indicators.is_service() then
        raise exception '只有流水线账号可代 Airflow 提请 / only the account of the pipeline proposes what Airflow prepared: %',
            session_user
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$function$;

create or replace trigger note_account before insert on indicators.proposal
for each row execute function indicators.note_account();
alter table indicators.proposal enable always trigger note_account;
