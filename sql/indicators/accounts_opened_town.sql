/*
of: persons_with_account
name_zh: 其中：镇街开通用户数
name_en: Accounts opened, in towns and subdistricts
unit: '名'
part_of: accounts_opened
description_zh: 累计开通用户中首个岗位单位类型为镇街的
description_en: Of the persons of accounts_opened, those whose first post is of the kind 镇街
excluded:
    other_kind: {zh: 其他单位类型, en: a body of another kind}
*/
select
    *,
    case when body_kind <> '镇街' then 'other_kind' end as left_out_because
from persons_with_account
