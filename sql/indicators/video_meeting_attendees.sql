/*
of: video_meetings_held
name_zh: 粤视会参会人次
name_en: Attendance of video meetings
unit: '人次'
quantity: attendees
description_zh: 开始时间在本期的粤视会会议的参会人数之和
description_en: Sum of the attendees of the video meetings that began in the period
*/
