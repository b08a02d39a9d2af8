/*
of: units_to_catalogue
name_zh: 需编目挂接单位数
name_en: Bodies that have to catalogue and mount
unit: 个
published_no: '43'
section: 一(三)4
description_zh: 期末清单中需编目挂接的单位
description_en: Units on the list of the last day that have to catalogue and mount
*/
