/*
of: service_halls
name_zh: 首席代表覆盖率
name_en: Chief representative coverage rate
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末名录中已落实首席代表的大厅比例；未填报视为未落实
description_en: Share of the halls on the list of the last day that have chief representatives;
    not reported counts as none
*/
select
    *,
    has_chief_representative as is_counted
from service_halls
