/*
name_zh: 手工填报
name_en: Manual returns
grain: one row per indicator, date and line of the ledger; a zero is reported as a row with 0
reads: {manual_return: occurred_on}
without_rows: 'null'
*/
