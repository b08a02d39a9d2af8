/*
of: kiosks_deployed
name_zh: 粤智助自助机台数
name_en: Kiosks in service
unit: '台'
published_no: '18'
section: 一(二)3
description_zh: 期末设备状态为在用的自助机
description_en: Machines that are 在用 on the last day
*/
