-- A vintage needs a proposal that holds, and an approver who is not its preparer. It is asked at the end of the transaction:
-- what a rehearsal enters is gone by then.

create or replace function indicators.require_two_persons() returns trigger
language plpgsql set search_path = pg_catalog as $function$
declare
    own_account constant text := coalesce(system_user, '');
    is_proved boolean;
begin
    is_proved := exists (
        select from indicators.proposal as p
        where
            p.period = new.period
            and p.vintage = new.vintage
            and p.digest = new.proposal_digest
            and p.account = new.preparer_account
            and p.prepared_by = new.prepared_by
            and p.reference = new.evidence
            and p.expires_at > clock_timestamp()
            and p.way = case new.proof when 'airflow' then 'airflow' else 'terminal' end
            -- Of two accounts of the server, the logins are not one either.
            and (new.proof <> 'database_role' or p.login <> session_user)
    )
    and indicators.name_key(new.prepared_by) <> indicators.name_key(new.approved_by)
    and case new.proof
        when 'airflow' then
            indicators.is_service()
            and indicators.name_key(new.preparer_account) <> indicators.name_key(new.approver_account)
        when 'os_account' then
            new.approver_account = own_account
            and new.preparer_account <> own_account
            and new.preparer_account like 'peer:%'
            and own_account like 'peer:%'
        when 'database_role' then
            new.approver_account = own_account
            and new.preparer_account <> own_account
            and new.preparer_account like '%:%'
            and own_account like '%:%'
            and new.preparer_account not like 'peer:%'
            and own_account not like 'peer:%'
        -- Names that nothing proves: only the owner, who could do without any of this, and it is printed.
        when 'declared' then new.approver_account = own_account and indicators.is_service()
    end;
    if is_proved is not true then
        raise exception '% 第 % 版没有他人的有效提请 / has no proposal by somebody else that still holds: vintage %',
            new.period, new.vintage, new.vintage
            using errcode = 'integrity_constraint_violation', hint = 'halfyear publish PERIOD; halfyear approve PERIOD';
    end if;
    return null;
end
$function$;

-- A constraint trigger cannot be replaced.
drop trigger if exists require_two_persons on indicators.vintage;
create constraint trigger require_two_persons after insert on indicators.vintage
deferrable initially deferred
for each row execute function indicators.require_two_persons();
alter table indicators.vintage enable always trigger require_two_persons;
