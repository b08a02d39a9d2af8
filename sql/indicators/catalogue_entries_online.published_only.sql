/*
of: data_catalogue
reads: last_day
name_zh: 已发布上线目录数（仅已发布）
name_en: Catalogue entries online, 已发布 only
unit: '条'
description_zh: 期末发布状态为已发布的目录，不含撤销中的
description_en: Entries whose publication state on the last day is 已发布; those under withdrawal
    are left out
excluded:
    under_withdrawal: {zh: 撤销待审核或撤销已驳回, en: under withdrawal}
    not_online: {zh: 期末不在线, en: not online on the last day}
*/
select
    *,
    case
        when publication in ('撤销待审核', '撤销已驳回') then 'under_withdrawal'
        when publication <> '已发布' then 'not_online'
    end as left_out_because
from data_catalogue
