/*
view: sealed_delivery
description: 封存所用报送 One row per vintage and delivery of which rows went into its figures
columns:
    period: 半年期 SDMX code of the half-year
    vintage: 版次 Number of the vintage
    source: 来源 Source
    snapshot_date: 快照日期 The day that the file speaks for
    sequence: 序号 Re-delivery number of that day
    file_name: 文件名 File
    sha256: 指纹 SHA-256 of the bytes as received, which landing keeps under it
    received_at: 接收时间 When it arrived
    indicator_codes: 指标代码 The indicators that its rows went into
*/
select
    period,
    vintage,
    source,
    snapshot_date,
    sequence,
    file_name,
    sha256,
    received_at,
    indicator_codes
from indicators.sealed_delivery
