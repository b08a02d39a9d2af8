/*
of: persons_with_account
name_zh: 其中：政府机关开通用户数
name_en: Accounts opened, in government bodies
unit: '名'
part_of: accounts_opened
description_zh: 累计开通用户中首个岗位单位类型为政府机关的
description_en: Of the persons of accounts_opened, those whose first post is of the kind 政府机关
excluded:
    other_kind: {zh: 其他单位类型, en: a body of another kind}
*/
select
    *,
    case when body_kind <> '政府机关' then 'other_kind' end as left_out_because
from persons_with_account
