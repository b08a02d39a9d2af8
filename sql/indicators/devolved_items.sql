/*
of: items_from_prefecture
name_zh: 承接市级下放权力和公共服务事项数
name_en: Items taken over from the prefecture
unit: '项'
published_no: '7'
section: 一(二)1
description_zh: 生效日期在本期、下放来源为地级市的事项，按批次和事项名称计
description_en: 'Items from the prefecture that take effect in the period, by batch and name'
*/
