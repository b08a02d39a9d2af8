insert into lineage.delivery (
    source, snapshot_date, sequence, file_name, sha256, bytes, modified_at, received_at,
    is_late, verdict, rule, reason_zh, reason_en, judged_at
)
values (
    %(source)s,
    %(snapshot_date)s,
    %(sequence)s,
    %(file_name)s,
    %(sha256)s,
    %(bytes)s,
    %(modified_at)s,
    coalesce(%(received_at)s, clock_timestamp()),
    %(is_late)s,
    %(verdict)s,
    %(rule)s,
    %(reason_zh)s,
    %(reason_en)s,
    case when %(verdict)s is not null then clock_timestamp() end
)
on conflict (source, file_name, sha256) do update
    set modified_at = excluded.modified_at, bytes = excluded.bytes
returning xmax = 0 as is_new
