create or replace function core.is_unified_social_credit_code(code text) returns boolean
language plpgsql
immutable strict parallel safe
as $function$
-- GB 32100-2015: registration department and category, six digits of the region, the nine
-- characters of GB 11714 with their own check character, check character. Both check characters
-- are verified; the list of departments (1 to 9, A, N, Y and what amendments add) is not.
declare
    -- Byte n is the value of the character with ASCII number n: 48 bytes before '0', the digits,
    -- 7 bytes between '9' and 'A', the letters to 'Y'. I, O, S, V and Z do not occur in a code:
    -- GB 32100 counts on without them, GB 11714 keeps their places.
    credit_value constant bytea :=
        '\x000000000000000000000000000000000000000000000000'
        '000000000000000000000000000000000000000000000000'
        '00010203040506070809'
        '00000000000000'
        '0a0b0c0d0e0f101100121314151600171819001a1b001c1d1e';
    organisation_value constant bytea :=
        '\x000000000000000000000000000000000000000000000000'
        '000000000000000000000000000000000000000000000000'
        '00010203040506070809'
        '00000000000000'
        '0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122';
    c bytea;
    organisation_sum integer;
    credit_sum integer;
begin
    if code !~ '^[1-9A-HJ-NP-RTUWXY][0-9A-HJ-NP-RTUWXY][0-9]{6}[0-9A-HJ-NP-RTUWXY]{8}[0-9X][0-9A-HJ-NP-RTUWXY]$' then
        return false;
    end if;
    c := convert_to(code, 'UTF8');
    organisation_sum :=
        3 * get_byte(organisation_value, get_byte(c, 8))
        + 7 * get_byte(organisation_value, get_byte(c, 9))
        + 9 * get_byte(organisation_value, get_byte(c, 10))
        + 10 * get_byte(organisation_value, get_byte(c, 11))
        + 5 * get_byte(organisation_value, get_byte(c, 12))
        + 8 * get_byte(organisation_value, get_byte(c, 13))
        + 4 * get_byte(organisation_value, get_byte(c, 14))
        + 2 * get_byte(organisation_value, get_byte(c, 15));
    -- X stands for 10.
    if substr('0123456789X', 1 + (11 - organisation_sum % 11) % 11, 1) <> substr(code, 17, 1) then
        return false;
    end if;
    -- The weights are the powers of 3 modulo 31; the last is that of the check character.
    credit_sum :=
        get_byte(credit_value, get_byte(c, 0))
        + 3 * get_byte(credit_value, get_byte(c, 1))
        + 9 * get_byte(credit_value, get_byte(c, 2))
        + 27 * get_byte(credit_value, get_byte(c, 3))
        + 19 * get_byte(credit_value, get_byte(c, 4))
        + 26 * get_byte(credit_value, get_byte(c, 5))
        + 16 * get_byte(credit_value, get_byte(c, 6))
        + 17 * get_byte(credit_value, get_byte(c, 7))
        + 20 * get_byte(credit_value, get_byte(c, 8))
        + 29 * get_byte(credit_value, get_byte(c, 9))
        + 25 * get_byte(credit_value, get_byte(c, 10))
        + 13 * get_byte(credit_value, get_byte(c, 11))
        + 8 * get_byte(credit_value, get_byte(c, 12))
        + 24 * get_byte(credit_value, get_byte(c, 13))
        + 10 * get_byte(credit_value, get_byte(c, 14))
        + 30 * get_byte(credit_value, get_byte(c, 15))
        + 28 * get_byte(credit_value, get_byte(c, 16))
        + get_byte(credit_value, get_byte(c, 17));
    return credit_sum % 31 = 0;
end;
$function$;

comment on function core.is_unified_social_credit_code(text) is
'Whether a text is a unified social credit code: form and both check characters of GB 32100 and GB 11714';
