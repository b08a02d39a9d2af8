/*
name_zh: 召开的视频会议
name_en: Video meetings
grain: one row per meeting
reads: {video_meeting: started_at}
*/
