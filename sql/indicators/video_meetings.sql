/*
of: video_meetings_held
name_zh: 粤视会会议场次
name_en: Video meetings
unit: '场'
description_zh: 开始时间在本期的粤视会会议
description_en: Video meetings that began in the period
*/
