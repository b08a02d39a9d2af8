/*
of: supervision_acts_inspected
name_zh: 监管行为数
name_en: Acts of supervision
unit: '条'
description_zh: 检查时间在本期的监管行为
description_en: Acts of supervision inspected in the period
*/
