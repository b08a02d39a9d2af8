/*
of: cloud_migration
reads: last_day
name_zh: 等保测评率
name_en: Protection-level assessment rate
domain: security
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末台账中三级及以上系统一年内测评过的比例
description_en: Share of the systems of level three and above on the list of the last day that
    were assessed within a year
excluded:
    not_graded: {zh: 未定级, en: no level}
    no_assessment_needed: {zh: 一级、二级无需每年测评, en: levels one and two need no yearly assessment}
*/
select
    *,
    case
        when protection_level is null then 'not_graded'
        when protection_level in ('一级', '二级') then 'no_assessment_needed'
    end as left_out_because,
    assessed_on >= (:last_day - interval '1 year')::date as is_counted
from cloud_migration
