/*
of: ratings_that_stand
name_zh: 好差评有效评价数
name_en: Valid ratings
unit: '条'
published_no: '22'
section: 一(二)4
description_zh: 有效且非默认的评价，每一办件取评价次数最高的一条，归入其本身的评价时间
description_en: 'Valid ratings that are no defaults; of a case the one with the highest round
    stands, in the half-year of its own time'
*/
