/*
of: data_catalogue
reads: last_day
name_zh: 已发布上线目录数
name_en: Catalogue entries online
unit: '条'
published_no: '47'
section: 一(三)4
description_zh: 期末在线的目录：已发布、撤销待审核、撤销已驳回，不论确认状态
description_en: Entries online on the last day (已发布, and under withdrawal 撤销待审核 撤销已驳回),
    confirmed or not
excluded:
    not_online: {zh: 期末不在线, en: not online on the last day}
*/
select
    *,
    case when publication <> all(:online_publication) then 'not_online' end as left_out_because
from data_catalogue
