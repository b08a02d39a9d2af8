/*
of: traded_lots
name_zh: 公共资源交易完成标段数
name_en: Lots traded
unit: '宗'
description_zh: 本期成交的标段
description_en: Lots that were traded in the period
*/
