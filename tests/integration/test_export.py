"""The export for statisticians from a real warehouse: every figure, its status before and after seals, and the command."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sdmx as library
from click.testing import CliRunner
from psycopg2.extensions import connection as Connection

from halfyear import warehouse as warehouse_module
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import computation
from halfyear.period import Period
from halfyear.publishing import sdmx, vintage
from halfyear.publishing.proposal import Request, propose
from halfyear.publishing.sdmx import Figure, Publication
from halfyear.publishing.seal import seal as seal_proposal
from halfyear.settings import Settings
from halfyear.terminal.command import main

PERIOD = Period(2022, 1)
CODE = "11441289007653119M"


@pytest.fixture
def owner(warehouse: Settings) -> Iterator[Connection]:
    """A warehouse in which the catalogue of 2022-S1 was computed for the city and one body."""
    with closing(warehouse_module.connect(warehouse, "owner")) as connection:
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
        computation.compute(connection, PERIOD)
        yield connection


def read(connection: Connection, warehouse: Settings) -> Publication:
    found = sdmx.read(connection, PERIOD)
    connection.rollback()
    return found


def seal(connection: Connection, request: Request) -> vintage.Vintage:
    """Seal what stands now, with everything that speaks against it named."""
    points = vintage.open_points(connection, PERIOD)
    request = replace(request, exceptions=tuple(sorted({point.name for point in points})))
    proposal = propose(connection, request)
    assert proposal is not None
    return seal_proposal(connection, request, proposal.digest, approved_by="乙", code_version="1")


def statuses(publication: Publication) -> dict[tuple[str, str], tuple[str, int | None]]:
    return {(each.indicator, each.body): (each.status, each.vintage) for each in publication.figures}


def value(publication: Publication, code: str, body: str) -> Decimal | None:
    (found,) = (each.value for each in publication.figures if (each.indicator, each.body) == (code, body))
    return found


def test_every_published_figure_is_there_as_printed(owner: Connection, warehouse: Settings) -> None:
    publication = read(owner, warehouse)
    figures = {(each.indicator, each.body): each for each in publication.figures}
    assert len(figures) == len(publication.figures)
    for figure in (
        Figure("catalogue_entries_confirmed", "_T", Decimal(3), "ENTRIES", 0, "P", None, Decimal(3), None),
        Figure("catalogue_entries_confirmed", CODE, Decimal(2), "ENTRIES", 0, "P", None, Decimal(2), None),
        Figure("catalogue_online_rate", "_T", Decimal("33.33"), "PERCENT", 2, "P", None, Decimal(1), Decimal(3)),
        Figure("catalogue_online_rate", CODE, Decimal("50.00"), "PERCENT", 2, "P", None, Decimal(1), Decimal(2)),
        Figure("counter_cases", "_T", None, "CASES", 0, "P", None, None, None),
    ):
        assert figures[figure.indicator, figure.body] == figure
        assert str(figures[figure.indicator, figure.body].value) == str(figure.value)
    with owner.cursor() as cursor:
        cursor.execute("select count(*) from mart.indicator where period = '2022-S1'")
        assert cursor.fetchall() == [(len(figures),)]
        cursor.execute("select count(distinct indicator_code) from mart.definition where is_published")
        assert cursor.fetchall() == [(len(publication.indicators),)]
        cursor.execute("select count(*) from mart.body")
        assert cursor.fetchall() == [(len(publication.bodies) - 1,)]
    codes = [each.code for each in publication.bodies]
    assert codes[0] == "_T" and all(
        codes.index(each.parent) < codes.index(each.code) for each in publication.bodies if each.parent
    )


def test_status_is_provisional_then_normal_then_revised(owner: Connection, warehouse: Settings) -> None:
    assert set(statuses(read(owner, warehouse)).values()) == {("P", None)}
    seal(owner, Request(PERIOD, "甲", note="首次公布"))
    assert set(statuses(read(owner, warehouse)).values()) == {("A", 1)}
    with owner, owner.cursor() as cursor:
        cursor.execute(
            """
            update core.data_catalogue set known_at = tstzrange(lower(known_at), now()) where record_key = 'E3';
            insert into core.data_catalogue (record_key, entry_code, body_code, body_name, system_kind, sharing,
                confirmation, publication, resource_count, row_number, load_id, valid_at, known_at)
            select record_key, entry_code, body_code, body_name, system_kind, '无条件共享', confirmation, publication,
                resource_count, row_number, load_id, valid_at, tstzrange(now(), null)
            from core.data_catalogue where record_key = 'E3';
            select indicators.mark_stale('data_catalogue', array['2022-S1'], 'test');
            """
        )
    computation.compute(owner, PERIOD)
    not_shared, shared = ("catalogue_entries_not_shared", "_T"), ("catalogue_entries_shared_unconditionally", "_T")
    sealed = read(owner, warehouse)
    assert (value(sealed, *not_shared), value(sealed, *shared)) == (3, 0), "what was sealed stands"
    seal(owner, Request(PERIOD, "甲", is_restatement=True, note="更正一条", reason="corrected_source"))
    after = read(owner, warehouse)
    assert (value(after, *not_shared), value(after, *shared)) == (2, 1)
    assert {key for key, of in statuses(after).items() if of == ("R", 2)} == {not_shared, shared}
    assert {of for key, of in statuses(after).items() if key not in (not_shared, shared)} == {("A", 2)}


def test_unit_and_decimals_are_those_of_the_seal(owner: Connection, warehouse: Settings) -> None:
    seal(owner, Request(PERIOD, "甲", note="首次公布"))
    with owner, owner.cursor() as cursor:
        cursor.execute(
            "update indicators.definition set decimals = 0, unit = '个' where indicator_code = 'catalogue_online_rate'"
        )
        assert cursor.rowcount
    (rate, _) = (each for each in read(owner, warehouse).figures if each.indicator == "catalogue_online_rate")
    assert (rate.value, rate.decimals, rate.unit) == (Decimal("33.33"), 2, "PERCENT")


def test_a_body_that_left_the_list_keeps_its_figures(owner: Connection, warehouse: Settings) -> None:
    with owner, owner.cursor() as cursor:
        cursor.execute("delete from core.body_alias where code = %s", (CODE,))
        cursor.execute("update core.body set parent_code = null where parent_code = %s", (CODE,))
        cursor.execute("delete from core.body where code = %s", (CODE,))
    publication = read(owner, warehouse)
    assert (publication.bodies[-1].code, publication.bodies[-1].zh) == (CODE, CODE)
    assert value(publication, "catalogue_entries_confirmed", CODE) == 2


def test_a_unit_without_a_code_is_named(owner: Connection, warehouse: Settings) -> None:
    with owner.cursor() as cursor:
        cursor.execute("delete from indicators.unit where unit <> '%'")
    with pytest.raises(ContractError, match=r"条, .*units\.yaml"):
        sdmx.read(owner, PERIOD)


def test_a_half_year_without_figures_says_which_there_are(owner: Connection, warehouse: Settings) -> None:
    with pytest.raises(UsageError, match=r"2019-S1: .*nothing was computed.*2022-S1"):
        sdmx.read(owner, Period(2019, 1))


def test_the_command_writes_what_the_library_reads(
    owner: Connection, warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFYEAR_AGENCY", "RW_DGB")
    output = tmp_path / "for statisticians"
    done = CliRunner().invoke(main, ["export", "2022-S1", "--format", "sdmx-csv", "-o", str(output)])
    assert done.exit_code == 0, done.output
    data, structure = sdmx.files(output, PERIOD)
    message = library.read_sdmx(structure)
    flow = message.dataflow[sdmx.ID]
    assert flow.maintainer is not None and flow.maintainer.id == "RW_DGB"
    (found,) = library.read_sdmx(data, structure=flow).data
    with owner.cursor() as cursor:
        cursor.execute(
            "select coalesce(body_code, '_T'), indicator_code, printed from mart.indicator where period = '2022-S1'"
        )
        printed = {(body, code): text for body, code, text in cursor}
    assert len(found.obs) == len(printed)
    assert done.output.splitlines()[-1] == f"2022-S1: 指标 figures: {len(printed)}"
    for each in found.obs:
        text = printed[each.key["BODY"].value, each.key["INDICATOR"].value]
        assert text == "—" if each.value == "" else text.startswith(each.value)
        assert each.key["BODY"].value in message.codelist["CL_BODY"]
        assert each.key["INDICATOR"].value in message.codelist["CL_INDICATOR"]
    # A period without figures and a place that cannot be written are errors of one line.
    for arguments, wrong in (
        (["2019-S1"], "nothing was computed"),
        (["2022-S1", "-o", str(data / "below a file")], "cannot be written"),
        (["2022-H1"], "not a half-year"),
    ):
        done = CliRunner().invoke(main, ["export", *arguments])
        assert (done.exit_code, len(done.output.splitlines())) == (2, 1) and wrong in done.output


def test_a_spreadsheet_shows_plain_columns(owner: Connection, warehouse: Settings, tmp_path: Path) -> None:
    data, _ = sdmx.write(read(owner, warehouse), "HALFYEAR", tmp_path / "figures.csv")
    content = data.read_bytes()
    assert content.isascii() and not content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert {row["TIME_PERIOD"] for row in rows} == {"2022-S1"}
    (row,) = (r for r in rows if (r["INDICATOR"], r["BODY"]) == ("catalogue_entries_confirmed", CODE))
    assert (row["OBS_VALUE"], row["UNIT_MEASURE"], row["OBS_STATUS"], row["VINTAGE"]) == ("2", "ENTRIES", "P", "")
