/*
of: persons_with_account
name_zh: 粤政易累计开通用户数
name_en: Accounts opened
unit: '名'
published_no: '48'
section: 一(三)6
description_zh: 期末账号清单中已开通且未注销的用户，一人计一次
description_en: Persons with a post that was opened by the last day and is not 注销 (停用 counts)
*/
