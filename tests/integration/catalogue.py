"""A small warehouse: three entries of the data catalogue of 2022-S1, of one body and of a name that no list knows."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection


def fill(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256, verdict)
            values ('data_catalogue', '2022-06-30', 1, 'data_catalogue_20220630.csv', '1', 'loaded');
            insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version,
                rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at)
            select 1, delivery_id, '1', '', '', 3, 3, 3, 0, 0, 'checked', now() from lineage.delivery;
            insert into lineage.standing values ('data_catalogue', '2022-06-30', 1, '[2022-07-01,)');
            insert into core.data_catalogue (record_key, entry_code, body_code, body_name, system_kind, sharing,
                confirmation, publication, resource_count, row_number, load_id, valid_at, known_at)
            select e.code, e.code, e.body, e.name, '自建系统', '不予共享', '已确认', e.publication, 1, 2, 1,
                '[2022-06-30,)', '[2022-07-01,)'
            from (values ('E1', '11441289007653119M', '榕湾市教育局', '已发布'),
                ('E2', '11441289007653119M', '榕湾市教育局', '已创建'), ('E3', 'X', '无名局', '已创建'))
                as e (code, body, name, publication);
            """
        )
    connection.commit()
