/*
name_zh: 网络安全事件、评估和演练
name_en: Security events, assessments and drills
grain: one row per event, assessment or drill
reads: {security_event: found_at}
*/
