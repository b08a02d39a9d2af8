/*
of: account_activation
reads: last_day
name_zh: 粤政易累计开通账号数（按岗位）
name_en: Posts opened
unit: '名'
description_zh: 期末已开通且未注销的账号，一人多岗分别计
description_en: Posts that were opened by the last day and are not 注销; a person with several
    counts several times
excluded:
    closed: {zh: 账号已注销, en: the post is 注销}
    opened_later: {zh: 期末后开通, en: opened after the last day}
*/
select
    *,
    case
        when account_status = '注销' then 'closed'
        when opened_at >= :ends_at then 'opened_later'
    end as left_out_because
from account_activation
