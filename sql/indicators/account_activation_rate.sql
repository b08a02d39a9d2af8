/*
of: persons_with_account
name_zh: 粤政易用户激活率
name_en: Account activation rate
unit: '%'
kind: ratio
decimals: 2
published_no: '50'
section: 一(三)6
description_zh: 累计激活用户数除以累计开通用户数
description_en: accounts_activated over accounts_opened
*/
select
    *,
    is_activated as is_counted
from persons_with_account
