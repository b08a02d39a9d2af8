/*
of: persons_with_account
name_zh: 粤政易90天未登录用户数
name_en: Accounts without log-in for 90 days
unit: '名'
description_zh: 累计开通用户中截至期末连续90天没有登录的，开通不足90天的除外
description_en: Of the persons of accounts_opened, those without a log-in on any of the 90 days
    up to the last; opened within them is left out
excluded:
    logged_in: {zh: 90天内登录过, en: logged in within the 90 days}
    opened_recently: {zh: 开通不足90天, en: opened within the 90 days}
*/
select
    *,
    case
        when
            (last_login_of_person_at at time zone 'Asia/Shanghai')::date > :last_day - 90
            then 'logged_in'
        when
            (first_opened_at at time zone 'Asia/Shanghai')::date > :last_day - 90
            then 'opened_recently'
    end as left_out_because
from persons_with_account
