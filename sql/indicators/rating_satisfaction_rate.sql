/*
of: ratings_that_stand
name_zh: 好差评群众满意率
name_en: Satisfaction rate of ratings
unit: '%'
kind: ratio
published_no: '23'
section: 一(二)4
description_zh: 有效评价中非常满意、满意、基本满意的比例
description_en: 'Share of the valid ratings that are 非常满意, 满意 or 基本满意'
*/
select
    *,
    satisfaction_code = any(:satisfied_service_rating) as is_counted
from ratings_that_stand
