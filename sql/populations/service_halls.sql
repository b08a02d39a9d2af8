/*
name_zh: 政务服务大厅
name_en: Government service halls
grain: one row per hall of the list
reads: {service_hall: last_day}
*/
