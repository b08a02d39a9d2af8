/*
of: kiosk_transaction
reads: served_on
name_zh: 粤智助业务量
name_en: Kiosk transactions
unit: '笔'
quantity: transactions
published_no: '19'
section: 一(二)3
description_zh: 本期各自助机业务量之和
description_en: Sum of the transactions of all machines in the period
*/
