/*
name_zh: 窗口受理的办件
name_en: Cases accepted at the counters
grain: one row per case
reads: {counter_case: accepted_at}
*/
