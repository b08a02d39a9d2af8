create view indicators.restatement_reason as
select
    reason,
    zh,
    en
from (
    values
    ('late_data', '数据迟报', 'late data'),
    ('corrected_source', '来源更正', 'corrected source'),
    ('changed_definition', '指标定义变更', 'changed definition'),
    ('changed_scope', '统计范围变更', 'changed scope'),
    ('computation_fault', '计算差错', 'computation fault'),
    ('transcription_fault', '誊录差错', 'transcription fault')
) as worded (reason, zh, en);
comment on view indicators.restatement_reason is 'Why a figure may be restated, in words';
