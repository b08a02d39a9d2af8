/*
name_zh: 本期派单的话单（基准测试）
name_en: Calls dispatched in the period (benchmark)
grain: one row per call, by its last dispatch
reads: {hotline_call: dispatched_at}
*/
