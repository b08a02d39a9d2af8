/*
of: cloud_migration
reads: last_day
name_zh: 等保备案率
name_en: Protection-level filing rate
domain: security
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末台账中有备案证明编号的系统比例，一级系统无需备案，未定级的视为未备案
description_en: Share of the systems on the list of the last day that have a filing certificate;
    level one needs none, without a level counts as not filed
excluded:
    no_filing_needed: {zh: 一级系统无需备案, en: level one needs no filing}
*/
select
    *,
    case when protection_level = '一级' then 'no_filing_needed' end as left_out_because,
    filing_no is not null as is_counted
from cloud_migration
