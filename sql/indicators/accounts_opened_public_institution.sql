/*
of: persons_with_account
name_zh: 其中：事业单位开通用户数
name_en: Accounts opened, in public institutions
unit: '名'
part_of: accounts_opened
description_zh: 累计开通用户中首个岗位单位类型为事业单位的
description_en: Of the persons of accounts_opened, those whose first post is of the kind 事业单位
excluded:
    other_kind: {zh: 其他单位类型, en: a body of another kind}
*/
select
    *,
    case when body_kind <> '事业单位' then 'other_kind' end as left_out_because
from persons_with_account
