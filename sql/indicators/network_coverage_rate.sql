/*
of: network_site
reads: last_day
name_zh: 镇村政务外网覆盖率
name_en: Coverage of towns and villages by the government network
unit: '%'
kind: ratio
published_no: '40'
section: 一(三)3
description_zh: 期末已接入政务外网的镇、村占全部镇、村的比例
description_en: Share of the towns and villages that the government network reaches on the last
    day
*/
select
    *,
    is_connected as is_counted
from network_site
