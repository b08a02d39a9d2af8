/*
of: service_halls
name_zh: 提供扫码评价的政务服务大厅数
name_en: Service halls with scan-code rating
unit: '个'
published_no: '21'
section: 一(二)4
description_zh: 期末名录中提供扫码评价的市、镇、村大厅
description_en: 'Halls of city, towns and villages on the list of the last day that offer rating
    by scanning a code'
excluded:
    no_rating_code: {zh: 未提供扫码评价, en: no rating by scanning}
*/
select
    *,
    case when not has_rating_qr then 'no_rating_code' end as left_out_because
from service_halls
