/*
of: traded_lots
name_zh: 公共资源交易总金额
name_en: Amount of the projects traded
unit: '亿元'
decimals: 4
scale: 0.00000001
quantity: amount_yuan
published_no: '33'
section: 一(二)5二
description_zh: 本期成交标段的成交金额之和
description_en: Sum of the amounts of the lots that were traded in the period
*/
