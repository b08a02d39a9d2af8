/*
of: persons_with_account
name_zh: 粤政易累计激活用户数
name_en: Accounts activated
unit: '名'
published_no: '49'
section: 一(三)6
description_zh: 累计开通用户中期末前任一岗位已激活的
description_en: Of the persons of accounts_opened, those with any such post activated by the
    last day
excluded:
    not_activated: {zh: 期末前未激活, en: no post activated by the last day}
*/
select
    *,
    case when is_activated is not true then 'not_activated' end as left_out_because
from persons_with_account
