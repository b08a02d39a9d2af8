"""A year of publishing: propose, approve, seal, a late correction, restate, verify, tamper; on a real PostgreSQL."""

from __future__ import annotations

import csv
import itertools
import re
import subprocess
import zipfile
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner

from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.errors import UsageError
from halfyear.indicators import definition, figure, indicator
from halfyear.publishing.proposal import Request, StillDue
from halfyear.publishing.vintage import Vintage, open_points
from halfyear.scheduling import airflow_record, night, publication_steps
from halfyear.settings import Settings
from halfyear.terminal import command

S2, S1 = period.parse("2021-S2"), period.parse("2022-S1")
#: What the draft of 2021-S2 has otherwise than the rows.
DRAFT = ("counter_cases", "cloud_systems_migrated", "account_activation_rate")


def halfyear(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.main, arguments, env={"COLUMNS": "1000"}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def query(settings: Settings, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(text, values or None)
        return cursor.fetchall() if cursor.description else []


def figures(settings: Settings, half: period.Period, as_known: Any = None) -> dict[str, tuple[Any, ...]]:
    with warehouse_module.transaction(settings) as connection:
        return {
            row["indicator_code"]: (row["numerator"], row["denominator"], row["value"], row["printed"])
            for row in figure.figures(connection, half, None, as_known)
        }


def sealed(settings: Settings, half: period.Period, number: int) -> dict[str, tuple[Any, ...]]:
    rows = query(
        settings,
        "select indicator_code, numerator, denominator, value, printed from indicators.sealed_observation "
        "inner join indicators.definition using (indicator_code, reading) "
        "where period = %s and vintage = %s and body_code is null and is_published",
        str(half),
        number,
    )
    return {code: tuple(rest) for code, *rest in rows}


def publish(half: period.Period, *exceptions: str) -> Vintage:
    request = Request(half, "甲", exceptions=exceptions)
    proposal = publication_steps.propose(request)
    assert proposal is not None
    return publication_steps.approve(request.period, proposal.digest, "乙")


def deliver_correction(settings: Settings, exports: Path) -> None:
    """The business centre corrects its export of 31 December: one rating, and two cases that were forgotten."""
    name = "enterprise_case_20211231.csv"
    with (exports / "enterprise_case" / name).open(encoding="gb18030", newline="") as stream:
        header, *rows = csv.reader(stream)
    rating, number, accepted = (header.index(c) for c in ("评价结果", "办件编号", "受理时间"))
    first = next(i for i, row in enumerate(rows) if row[accepted] > "20210701" and row[rating] == "非常满意")
    rows[first][rating] = "不满意"
    added = [list(rows[first]) for _ in range(2)]
    for serial, row in enumerate(added, start=90001):
        row[number] = row[number][:-5] + str(serial)
        row[rating] = "满意"
    path = Path(settings.inbox) / "enterprise_case" / "enterprise_case_20211231_2.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="gb18030", newline="") as stream:
        csv.writer(stream).writerows([header, *rows, *added])
    (verdict,) = [night.load_delivery(i, settings).verdict for i in night.look("enterprise_case", settings).pending]
    assert verdict == "loaded_with_quarantine"  # as the export that it corrects


@pytest.mark.timeout(900)
def test_a_year(loaded: Settings, exports: Path, tmp_path: Path) -> None:
    # What is open has to be named, and nobody approves what they prepared.
    refused = halfyear("publish", "2021-S2", "--prepared-by", "甲", "--approved-by", "乙", code=2)
    assert all(f"--except {code}" in refused for code in DRAFT)
    named = [word for code in DRAFT for word in ("--except", code)]
    assert "不能批准" in halfyear("publish", "2021-S2", *named, "--prepared-by", "甲", "--approved-by", " 甲 ", code=2)
    shown = halfyear("publish", "2021-S2", *named, "--prepared-by", "甲")
    assert "未封存" in shown and "粤政易累计开通用户数" in shown
    assert query(loaded, "select count(*) from indicators.vintage") == [(0,)]
    halfyear("publish", "2021-S2", *named, "--prepared-by", "甲", "--approved-by", "乙")
    first = sealed(loaded, S2, 1)
    ((sealed_at, exceptions, digest),) = query(
        loaded, "select sealed_at, exceptions, hash from mart.vintage where period = '2021-S2'"
    )
    assert [each["name"] for each in exceptions] == sorted(DRAFT, key=[e["name"] for e in exceptions].index)
    ((published,),) = query(loaded, "select count(*) from indicators.definition where is_published")
    assert len(first) == published and first == figures(loaded, S2)
    assert figures(loaded, S2, sealed_at) == first
    # Again: nothing to do, and no second vintage.
    assert "nothing moved since" in halfyear("publish", "2021-S2", "--prepared-by", "甲", "--approved-by", "乙")
    assert query(loaded, "select count(*) from indicators.vintage") == [(1,)]
    assert halfyear("restate", "2021-S2").count("nothing moved since") == 1

    # A late correction moves core and the provisional value, never the sealed one; the difference shows with its rows.
    deliver_correction(loaded, exports)
    night.compute("2021-S2")
    assert figures(loaded, S2) == first
    shown = halfyear("status")
    assert re.search(r"2021-S2 .* sealed v1 .* approved by 乙; 此后有变动的数 figures that moved since: \d+", shown), (
        shown
    )
    assert re.search(r"2022-S1 .* open", shown), shown
    candidates = query(
        loaded,
        "select indicator_code, reading, difference from mart.restatement_candidate "
        "where period = '2021-S2' and body_code is null order by 1, 2",
    )
    moved = {(code, reading) for code, reading, _ in candidates}
    assert {("enterprise_cases", ""), ("enterprise_satisfied_rate", "")} <= moved
    assert dict((c, d) for c, _, d in candidates)["enterprise_cases"] == 2
    caused = query(
        loaded,
        "select change, count(*) from mart.restatement_candidate_row where period = '2021-S2' "
        "and indicator_code = 'enterprise_cases' and file_name = 'enterprise_case_20211231_2.csv' group by 1",
    )
    assert caused == [("added", 2)]
    assert query(
        loaded,
        "select change, in_numerator, count(*) from mart.restatement_candidate_row where period = '2021-S2' "
        "and indicator_code = 'enterprise_satisfied_rate' and reading = '' group by 1, 2 order by 1, 2",
    ) == [("added", False, 1), ("added", True, 2), ("removed", True, 1)]
    listed = halfyear("restate", "2021-S2", code=1)
    assert "enterprise_case_20211231_2.csv" in listed and "enterprise_cases" in listed
    assert "只能重述" in halfyear("publish", "2021-S2", "--prepared-by", "甲", "--approved-by", "乙", code=2)
    assert figures(loaded, S2, sealed_at) == first

    # It is restated with a reason for each figure, by one person and another.
    assert "--note" in halfyear("restate", "2021-S2", "--reason", "corrected_source", "--approved-by", "丙", code=2)
    assert "enterprise_satisfied_rate" in halfyear(
        "restate", "2021-S2", "--figure", "enterprise_cases=late_data", "--note", "更正", "--approved-by", "丙", code=2
    )
    assert "no such reason" in halfyear("restate", "2021-S2", "--reason", "mood", "--note", "更正", code=2)
    assert "did not move" in halfyear(
        "restate", "2021-S2", "--reason", "late_data", "--figure", "kiosks_in_service=late_data", "--note", "x", code=2
    )
    note_file = tmp_path / "note.md"
    halfyear(
        "restate", "2021-S2", "--reason", "corrected_source", "--figure", "enterprise_cases=late_data", "--note",
        "企业服务中心更正了办件报送", "--prepared-by", "甲", "--approved-by", "丙", "-o", str(note_file),
    )  # fmt: skip
    second = sealed(loaded, S2, 2)
    assert second == figures(loaded, S2) != first
    assert sealed(loaded, S2, 1) == first
    assert query(loaded, "select count(*) from mart.restatement_candidate where period = '2021-S2'") == [(0,)]
    restated = {
        code: (reason, old, new, follows)
        for code, reading, reason, old, new, follows in query(
            loaded,
            "select indicator_code, reading, reason, old_value, new_value, follows from mart.restatement "
            "where period = '2021-S2' and body_code is null",
        )
        if reading == ""
    }
    assert restated["enterprise_cases"] == (
        "late_data",
        first["enterprise_cases"][2],
        second["enterprise_cases"][2],
        [],
    )
    assert restated["enterprise_satisfied_rate"][0] == "corrected_source"
    assert "enterprise_cases" in restated["enterprise_satisfied_rate"][3]
    assert {code for code, value in first.items() if value != second[code]} == set(restated)
    note = note_file.read_text("utf-8")
    assert note.startswith("# 关于重述2021年下半年统计数据的说明")
    for words in (
        first["enterprise_cases"][3],
        second["enterprise_cases"][3],
        "企业服务中心更正了办件报送",
        "甲",
        "丙",
    ):
        assert words in note
    assert "enterprise_case_20211231_2.csv" in note
    halfyear("note", "2021-S2", "-o", str(tmp_path / "note.docx"))
    assert zipfile.is_zipfile(tmp_path / "note.docx")
    history = query(
        loaded,
        "select vintage, printed, reason, note, approved_by from mart.indicator_history where period = '2021-S2' "
        "and indicator_code = 'enterprise_cases' and reading = '' and body_code is null and status = 'sealed' order by 1",
    )
    assert history == [
        (1, first["enterprise_cases"][3], None, None, "乙"),
        (2, second["enterprise_cases"][3], "late_data", "企业服务中心更正了办件报送", "丙"),
    ]
    assert query(
        loaded,
        "select vintage, status, printed from mart.indicator where period = '2021-S2' and body_code is null "
        "and indicator_code = 'enterprise_cases'",
    ) == [(2, "sealed", second["enterprise_cases"][3])]

    # Both seals can still be asked of the rows, by instant and by vintage.
    ((again_at,),) = query(loaded, "select sealed_at from mart.vintage where period = '2021-S2' and vintage = 2")
    assert figures(loaded, S2, sealed_at) == first
    assert figures(loaded, S2, again_at) == second
    assert first["enterprise_cases"][3] in halfyear("indicators", "2021-S2", "--as-known", "v1")
    assert "has no vintage 3" in halfyear("trace", "2021-S2", "enterprise_cases", "--as-known", "v3", code=2)

    # The next half-year is sealed on top of it, and the chain holds.
    halfyear("publish", "2022-S1", "--prepared-by", "甲", "--approved-by", "乙")
    assert "版次 vintages 3," in halfyear("verify", "--hash", digest)
    assert "not in the chain" in halfyear("verify", "--hash", "0" * 64, code=1)
    _print_reports(tmp_path, first, second)
    _tamper(loaded)


def _print_reports(folder: Path, first: Mapping[str, tuple[Any, ...]], second: Mapping[str, tuple[Any, ...]]) -> None:
    """Both reports, in all three formats; LibreOffice opens the document, and what a person sees there is sealed."""
    assert "2021-S1" in halfyear("report", "2021-S1", "-o", str(folder / "open.docx"), code=2)
    assert not (folder / "open.docx").exists()
    for half, suffix in itertools.product(("2021-S2", "2022-S1"), (".docx", ".md", ".xlsx")):
        halfyear("report", half, "-o", str(folder / f"{half}{suffix}"))
    markdown = (folder / "2021-S2.md").read_text("utf-8")
    assert second["enterprise_cases"][3] in markdown
    # The annex has what was restated, old and new, with the reason.
    restated = markdown[markdown.index("附件四") :]
    assert (
        first["enterprise_cases"][3] in restated and "数据迟报" in restated and "企业服务中心更正了办件报送" in restated
    )
    office = ("soffice", f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "pdf")
    arguments = [*office, "--outdir", str(folder), str(folder / "2022-S1.docx")]
    subprocess.run(arguments, check=True, capture_output=True, timeout=240)
    shown = subprocess.run(
        ["pdftotext", "-layout", str(folder / "2022-S1.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = shown.split("\f")
    assert len(pages) > 10 and "2022 年上半年" in re.sub(r"(\d)(?=年)", r"\1 ", pages[0])
    assert "8043" in shown and "98.33%" in shown
    halfyear("report", "2022-S1", "-o", str(folder / "draft.md"), "--draft")
    assert "草稿" in (folder / "draft.md").read_text("utf-8")


def _tamper(loaded: Settings) -> None:
    """One digit: the loader and the table's owner are refused; a superuser who drops the guard is found."""
    change = "update indicators.sealed_observation set value = value + 1, printed = printed where indicator_code = 'counter_cases'"
    with closing(psycopg2.connect(loaded.warehouse or "")) as connection, connection.cursor() as cursor:
        cursor.execute("select current_setting('is_superuser')")
        assert cursor.fetchone() == ("on",)
        # The embedded server has one superuser; the owner of the tables is made another role, which it is not.
        cursor.execute("do $$ begin create role seal_owner; exception when duplicate_object then null; end $$")
        cursor.execute("grant usage on schema indicators to seal_owner")
        for name in ("vintage", "sealed_observation", "sealed_definition", "sealed_delivery", "restatement"):
            cursor.execute(f"alter table indicators.{name} owner to seal_owner")
        connection.commit()
        statements = (
            change,
            "delete from indicators.sealed_observation",
            "truncate indicators.sealed_observation",
            "delete from indicators.vintage",
            "update indicators.vintage set note = 'x'",
            "update indicators.restatement set note = 'x'",
            "insert into indicators.sealed_delivery select period, vintage, load_id + 1000000, delivery_id, source, "
            "snapshot_date, sequence, file_name, sha256, received_at, indicator_codes, row_hash "
            "from indicators.sealed_delivery limit 1",
            "insert into indicators.vintage select period, vintage + 1, sealed_at, prepared_by, approved_by, code_version, "
            "previous_hash, hash, sequence + 1, approved_at, note, exceptions, declarations, proposal_digest "
            "from indicators.vintage order by sequence desc limit 1",
        )
        for role in ("seal_owner", "postgres"):
            for statement in (*statements, f"set session_replication_role = replica; {change}"):
                if role != "postgres" and "replica" in statement:
                    continue
                cursor.execute(f"set role {role}")
                with pytest.raises(psycopg2.IntegrityError, match=r"封存|版次"):
                    cursor.execute(statement)
                connection.rollback()
        # Whoever may disable the guard can change a digit; it is found, and which one.
        cursor.execute("alter table indicators.sealed_observation disable trigger refuse_change")
        cursor.execute(
            "update indicators.sealed_observation set value = value + 1 where indicator_code = 'counter_cases' "
            "and reading = '' and period = '2022-S1' and body_code is null"
        )
        cursor.execute("alter table indicators.sealed_observation enable always trigger refuse_change")
        connection.commit()
        found = halfyear("verify", code=1)
        assert re.search(r"2022-S1 v1 sealed_observation counter_cases", found), found
        # He may write the row's own hash anew: then the vintage's does not fit.
        cursor.execute("alter table indicators.sealed_observation disable trigger refuse_change")
        cursor.execute(
            "update indicators.sealed_observation set row_hash = repeat('0', 64) where indicator_code = 'counter_cases' "
            "and reading = '' and period = '2022-S1' and body_code is null"
        )
        connection.commit()
        found = halfyear("verify", code=1)
        assert "2022-S1 v1 hash" in found and "refuse_change" in found


def test_a_seal_is_of_what_was_approved(loaded: Settings, exports: Path) -> None:
    request = Request(S1, "甲")
    proposal = publication_steps.propose(request)
    assert proposal is not None
    deliver_correction(loaded, exports)  # moves the half-year before, so that only comparisons of this one move
    with warehouse_module.transaction(loaded, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into indicators.stale (period, indicator_code, reading, reason) "
            "values ('2022-S1', 'enterprise_cases', '', 'rows changed')"
        )
    with pytest.raises(StillDue):
        publication_steps.approve(request.period, proposal.digest, "乙")
    night.compute("2022-S1")
    with pytest.raises(UsageError, match="no proposal of this digest"):
        publication_steps.approve(S1, "0" * 64, "乙")
    assert query(loaded, "select count(*) from indicators.vintage") == [(0,)]
    made = publication_steps.approve(request.period, proposal.digest, "乙")
    # The task that sealed was killed after its commit and runs again.
    assert publication_steps.approve(request.period, proposal.digest, "丁") == made
    with pytest.raises(UsageError, match="not among the open points"):
        publication_steps.propose(Request(S2, "甲", exceptions=("kiosk",)))
    with pytest.raises(UsageError, match="not sealed yet"):
        publication_steps.propose(Request(S2, "甲", is_restatement=True, reason="late_data", note="x"))
    with pytest.raises(UsageError, match="nothing was computed"):
        publication_steps.propose(Request(period.parse("2030-S1"), "甲"))


def test_the_demo_has_no_open_point_but_those_of_its_draft(loaded: Settings) -> None:
    with warehouse_module.transaction(loaded) as connection:
        found = [
            (p, point.name) for p in night.computed_periods() for point in open_points(connection, period.parse(p))
        ]
    assert sorted(found) == sorted(("2021-S2", name) for name in DRAFT)
    assert query(loaded, "select distinct state from mart.expected_delivery order by 1") == [("late",), ("there",)]


def test_an_anomaly_is_sealed_with_the_sentence_that_explains_it(
    loaded: Settings, exports: Path, tmp_path: Path
) -> None:
    name, point = "video_meeting_20220630.csv", "video_meeting.volume"
    lines = (exports / "video_meeting" / name).read_text("utf-8").splitlines(keepends=True)
    path = Path(loaded.inbox) / "video_meeting" / "video_meeting_20220630_2.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join([lines[0], *lines[1:-1:10]]), "utf-8")
    for delivery_id in night.look("video_meeting", loaded).pending:
        night.load_delivery(delivery_id, loaded)
    asked = ("publish", "2022-S1", "--prepared-by", "甲", "--approved-by", "乙")
    refused = halfyear(*asked, code=2)
    assert f"--except {point}=SENTENCE" in refused and "video_meeting_attendees" in refused and path.name in refused
    assert "异动须附说明" in halfyear(*asked, "--except", point, code=2)
    # What fell behind its draft is open too, and needs no sentence.
    others = {each for each in re.findall(r"--except (\S+)", refused) if "=" not in each}
    named = [word for each in others for word in ("--except", each)]
    shown = halfyear(*asked, "--except", f"{point}=会议系统停机检修", *named)
    assert "会议系统停机检修" in shown
    ((exceptions,),) = query(loaded, "select exceptions from mart.vintage")
    (held,) = (each for each in exceptions if each["name"] == point)
    assert held["kind"] == "anomaly" and held["explanation"] == "会议系统停机检修"
    assert held["indicator_codes"] == ["video_meeting_attendees", "video_meetings"]
    halfyear("report", "2022-S1", "-o", str(tmp_path / "report.md"))
    assert "（说明：会议系统停机检修）" in (tmp_path / "report.md").read_text("utf-8")
    assert "版次 vintages 1," in halfyear("verify")


def test_the_steps_of_the_dags(loaded: Settings, exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What publish_period and restate_period do, with their parameters and what Airflow says of their runs."""
    approved_at = datetime(2022, 1, 11, 9, tzinfo=UTC)

    def run(
        run_id: str, triggered_by: str, asked: dict[str, Any], is_restatement: bool = False
    ) -> dict[str, str] | None:
        known = airflow_record.Run(f"publish/{run_id}", triggered_by)
        monkeypatch.setattr(airflow_record, "run", lambda settings, dag_id, run_id: known)
        shown = publication_steps.prepare_run(asked, is_restatement, "publish", run_id)
        if shown is not None:
            answer = airflow_record.Answer(shown["title"], shown["text"], ("Approve",), "approver", approved_at)
            monkeypatch.setattr(airflow_record, "answer", lambda settings, dag_id, run_id, task_id: answer)
            publication_steps.seal_run("publish", run_id)
        return shown

    # A scheduled run has no parameters, and the day of the run before as its key.
    asked: dict[str, Any] = {"period": "2021-07-10T09:00:00", "note": "", "exceptions": []}
    with pytest.raises(UsageError, match="open points: 3"):
        run("1", airflow_record.SCHEDULE, asked)
    shown = run("2", airflow_record.SCHEDULE, {**asked, "exceptions": list(DRAFT)})
    assert shown is not None and "account_activation_rate" in shown["text"]
    assert run("3", airflow_record.SCHEDULE, asked) is None

    deliver_correction(loaded, exports)
    asked = {"period": "2021-S2", "reason": "corrected_source", "reasons": {"enterprise_cases": "late_data"}}
    shown = run("4", "admin", {**asked, "note": "更正", "exceptions": []}, is_restatement=True)
    assert shown is not None and "来源更正" in shown["text"] and "重述 2021-S2" in shown["title"]
    assert query(loaded, "select vintage, prepared_by, approved_by, approved_at from mart.vintage order by 1") == [
        (1, "airflow", "approver", approved_at),
        (2, "admin", "approver", approved_at),
    ]


def test_a_changed_definition_shows_as_a_candidate_and_is_kept_with_the_seal(loaded: Settings) -> None:
    publish(S1)
    with closing(warehouse_module.connect(loaded, "owner")) as connection:
        known = definition.load_all(loaded.sql)
        key = ("rated_halls", "")
        changed = definition.Definition(
            **{**vars(known[key]), "sql": known[key].sql.replace("1 as quantity", "2 as quantity"), "parts": None}
        )
        assert changed.sql != known[key].sql
        indicator.sync(connection, {**known, key: changed})
        connection.commit()
    night.compute("2022-S1")
    found = query(
        loaded,
        "select sealed_printed, provisional_printed, is_definition_changed from mart.restatement_candidate "
        "where indicator_code = 'rated_halls' and reading = '' and body_code is null",
    )
    assert found == [("209个", "418个", True)]
    assert figures(loaded, S1)["rated_halls"][3] == "209个"
    # Nor does a seal lose a figure, its words or its unit when the definition goes.
    with closing(warehouse_module.connect(loaded, "owner")) as connection:
        indicator.sync(connection, {pair: d for pair, d in known.items() if pair[0] != "rated_halls"})
        connection.commit()
    night.compute("2022-S1")
    assert query(
        loaded,
        "select name_zh, printed, unit, status from mart.indicator where period = '2022-S1' and body_code is null "
        "and indicator_code = 'rated_halls'",
    ) == [(known[key].name_zh, "209个", "个", "sealed")]
    ((kept,),) = query(
        loaded,
        "select definition ->> 'sql' from indicators.sealed_definition where indicator_code = 'rated_halls'",
    )
    assert kept == known[key].sql
    assert "版次 vintages 1," in halfyear("verify")
