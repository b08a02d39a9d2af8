/*
name_zh: 监管行为
name_en: Acts of supervision
grain: one row per act
reads: {supervision_act: inspected_at}
*/
