/*
name_zh: 企业服务中心受理的办件
name_en: Cases accepted at the enterprise service centre
grain: one row per case
reads: {enterprise_case: accepted_at}
*/
