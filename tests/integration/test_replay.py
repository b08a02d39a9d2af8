"""Replay: mending a contract afterwards ends where a contract that was right from the start would have.

The property is asked of two sources that exist only here, a register and events: files of messy rows are loaded, their
contract is edited at random again and again, and after each edit and replay the warehouse has to be like one that never
knew another contract. What was known at any instant before stays known of it. REPLAY_EDITS is the number of edits.
"""

from __future__ import annotations

import copy
import csv
import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from click.testing import CliRunner

import halfyear_demo as demo
from figures_are_rows import assert_figures_are_rows
from halfyear import contract as contracts
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.core import judgement
from halfyear.scheduling import night
from halfyear.scheduling import replay as replays
from halfyear.settings import Settings
from halfyear.terminal import command
from halfyear.warehouse import core_table, embedded

EDITS = int(os.environ.get("REPLAY_EDITS", "6"))
#: After so many edits the files are others.
CHAIN = 6
HEADERS = ["编号", "状态", "数量", "日期", "备注"]


def ask(settings: Settings, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def deliver(settings: Settings, source: str, name: str, lines: list[str]) -> str:
    """Put a file into the inbox and load it; its verdict."""
    path = Path(settings.inbox) / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    verdicts = [night.load_delivery(number, settings).verdict for number in night.look(source, settings).pending]
    return verdicts[-1] if verdicts else ""


def replay(settings: Settings, *sources: str, **more: Any) -> replays.Replay:
    done = replays.replay(sources, None, settings, accept_refusals=True, say=lambda line: None, **more)
    assert done.failures == []
    return done


# ---------------------------------------------------------------- the property


def sample(mode: str) -> dict[str, Any]:
    return {
        "id": f"sample_{mode}",
        "version": "1",
        "name": {"zh": "样例", "en": "Sample"},
        "description": "A sample",
        "domain": "sample",
        "grain": "one row per key",
        "mode": mode,
        "format": "csv",
        "periodProperty": "happened_on" if mode == "events" else None,
        "slaProperties": {"frequency": "0 1 * * *", "deliveries": [{"monthEnds": [6, 12]}]},
        "thresholds": {"maxRejectedShare": 0.6, "minShareOfPrevious": 0.3},
        "properties": [
            {"name": "code", "businessName": "编号", "format": "code", "primaryKey": True},
            {"name": "state", "businessName": "状态", "format": "enumeration", "values": {"在用": ["1"], "停用": ["0"]}},
            {"name": "amount", "businessName": "数量", "logicalType": "number", "minimum": 0},
            {"name": "happened_on", "businessName": "日期", "logicalType": "date", "required": True},
        ],
        "quality": [],
    }  # fmt: skip


def edited(draw: random.Random, before: dict[str, Any]) -> dict[str, Any]:
    """A contract with one thing changed that a file may be judged by."""
    after = copy.deepcopy(before)
    fields = {field["name"]: field for field in after["properties"]}
    state, amount, day = fields["state"], fields["amount"], fields["happened_on"]

    def spelling() -> None:
        # The label is what core keeps, its spellings are what files say.
        state["values"] = {
            label: sorted(draw.sample(["1", "0", "Y", "N", "正常"], draw.randrange(3)))
            for label in draw.sample(["在用", "停用", "暂停"], draw.randrange(1, 4))
        }
        taken: set[str] = set()
        for label, spellings in state["values"].items():
            state["values"][label] = [each for each in spellings if each not in taken]
            taken |= set(spellings)

    def minimum() -> None:
        amount["minimum"] = draw.choice([None, -10, 0, 2, 5])

    def required() -> None:
        field = draw.choice([state, amount])
        field["required"] = not field.get("required", False)

    def header() -> None:
        field = draw.choice([state, amount, day])
        field["aliases"] = [] if field.get("aliases") else [f"{field['businessName']}（新）"]

    def thresholds() -> None:
        after["thresholds"] = {
            "maxRejectedShare": draw.choice([0.1, 0.4, 0.6, 1.0]),
            "minShareOfPrevious": draw.choice([0.0, 0.3, 0.8]),
        }

    def rule() -> None:
        after["quality"] = [] if after["quality"] else [
            {
                "rule": "not_seven",
                "type": "unexpected_rows_expectation",
                "column": "amount",
                "kwargs": {"unexpected_rows_query": "select * from {batch} where amount = 7"},
                "severity": draw.choice(["critical", "warning", "info"]),
                "dimension": "accuracy",
                "description": {"zh": "不为七", "en": "is not seven"},
            }
        ]  # fmt: skip

    def new_column() -> None:
        if "note" in fields:
            after["properties"].remove(fields["note"])
        else:
            after["properties"].append({"name": "note", "businessName": "备注"})

    def key() -> None:
        # Once one of its columns is required for the key, records are others.
        state["primaryKey"] = not state.get("primaryKey", False)

    def words() -> None:
        after["description"] += "."

    draw.choice([spelling, spelling, minimum, required, header, thresholds, rule, new_column, key, words])()
    return after


def files(draw: random.Random, source: str) -> dict[str, list[str]]:
    """Deliveries of a few days: late, corrected, repeated under a higher number, with rows of every kind."""
    found: dict[str, list[str]] = {}
    contents: dict[int, list[str]] = {}
    for _ in range(draw.randrange(2, 5)):
        day, number = draw.choice([(28, 1), (29, 1), (30, 1), (31, 1), (29, 2), (30, 2), (31, 2)])
        headers = [h if draw.random() < 0.96 else f"{h}（新）" for h in HEADERS]
        lines = [",".join(headers)]
        for code in draw.sample(["A", "B", "C", "D", "E", "F"], draw.randrange(1, 7)):
            cells = [
                code,
                draw.choice(["1", "0", "在用", "停用", "Y", "正常", ""]),
                draw.choice(["1", "3", "7", "-5", "x", ""]),
                draw.choice(["2021-12-20", "2021-06-30", "2021-06-30", "20XX"]),
                draw.choice(["", "甲", "乙"]),
            ]
            lines.append(",".join(cells))
        if day in contents and draw.random() < 0.3:
            lines = contents[day]
        contents[day] = lines
        found[f"{source}_202112{day}{f'_{number}' if number > 1 else ''}.csv"] = lines
    names = list(found)
    draw.shuffle(names)
    return {name: found[name] for name in names}


class Sample:
    """A warehouse of the two sources, and a project of its own, whose contracts change."""

    def __init__(self, settings: Settings, project: Path, database: str) -> None:
        url = embedded.server_url(settings, database)
        home = project / database
        (home / "inbox").mkdir(parents=True)
        self.settings = replace(
            settings,
            warehouse=url,
            project=project,
            home=home,
            inbox=str(home / "inbox"),
            landing=str(home / "landing"),
        )

    def declare(self, declared: dict[str, Any]) -> contracts.Contract:
        path = self.settings.expectations / "sources" / f"{declared['id']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
        contracts.load_all.cache_clear()
        contract = contracts.load_all(self.settings.expectations)[declared["id"]]
        with warehouse_module.transaction(self.settings, "owner") as connection, connection.cursor() as cursor:
            core_table.derive(cursor, contract, lambda line: None)
            cursor.execute(f"grant select, insert, update, delete on core.{contract.source} to halfyear_loader")
            # Partitions that a load makes belong to the owner.
            cursor.execute("grant select, insert, update, delete on all tables in schema core to halfyear_loader")
        return contract

    def clear(self, source: str) -> None:
        ask(
            self.settings,
            f"truncate core.{source}, lineage.delivery, lineage.load, lineage.standing, lineage.acceptance, "
            "lineage.check_result, lineage.observation_input, quarantine.rejected_row, indicators.stale cascade",
        )
        for folder in (self.settings.inbox, self.settings.landing):
            shutil.rmtree(folder, ignore_errors=True)
        Path(self.settings.inbox).mkdir()

    def state(self, contract: contracts.Contract) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that must not depend on when the contract was mended."""
        in_force = "lineage.load as load inner join lineage.delivery as delivery using (delivery_id)"
        return {
            "core": self.known(contract, "upper_inf(row.known_at)"),
            # Of two names with the same bytes the first to be read has the load.
            "verdicts": ask(
                self.settings,
                "select snapshot_date, sha256, array_agg(verdict order by verdict), array_agg(delivery.rule order by delivery.rule), "
                "max(array[contract_fingerprint, rows_read::text, rows_passed::text, rows_loaded::text, "
                "rows_quarantined::text, rows_skipped::text, state]) from lineage.delivery as delivery "
                "left join lineage.load as load on load.delivery_id = delivery.delivery_id and replaced_at is null "
                "group by 1, 2 order by 1, 2",
            ),
            "standing": ask(
                self.settings,
                "select standing.snapshot_date, sha256 from lineage.standing as standing inner join "
                f"{in_force} using (load_id) where upper_inf(known_at) order by 1",
            ),
            "quarantine": ask(
                self.settings,
                "select sha256, row_number, record_key, column_name, rejected.rule, rejected.reason_zh, masked_value "
                f"from quarantine.rejected_row as rejected inner join {in_force} using (load_id) "
                "where replaced_at is null order by 1, 2, 4, 5, 6",
            ),
            "checks": ask(
                self.settings,
                "select sha256, result.rule, result.column_name, severity, success, element_count, unexpected_count "
                f"from lineage.check_result as result inner join {in_force} using (load_id) where replaced_at is null "
                "order by 1, 2, 3, 4, 5, 6, 7",
            ),
            "staging": ask(self.settings, "select tablename from pg_tables where schemaname = 'staging'"),
        }

    def known(self, contract: contracts.Contract, when: str, *values: Any) -> list[tuple[Any, ...]]:
        columns = ", ".join(f'row."{p.column}"' for p in contract.columns)
        valid = "row.valid_at::text" if contract.mode == "register" else "''"
        return ask(
            self.settings,
            f"select row.record_key, {valid}, {columns}, row.row_number, delivery.sha256 from core.{contract.source} as row "
            "inner join lineage.load using (load_id) inner join lineage.delivery as delivery using (delivery_id) "
            f"where {when} order by 1, 2, row.row_number",
            *values,
        )


@pytest.fixture
def databases(settings: Settings, template: str) -> Iterator[tuple[str, str]]:
    names = (f"replayed_{os.getpid()}", f"right_{os.getpid()}")
    server = psycopg2.connect(embedded.server_url(settings, "postgres") or "")
    server.autocommit = True
    with server.cursor() as cursor:
        for name in names:
            cursor.execute(f"create database {name} template {template}")
        yield names
        for name in names:
            cursor.execute(f"drop database {name} with (force)")
    server.close()


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("mode", ["register", "events"])
def test_mending_afterwards_is_as_good_as_being_right_from_the_start(
    settings: Settings, databases: tuple[str, str], tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFYEAR_TOKEN_KEY", "a key of the tests, sixty-four characters long, as it should be.")
    replayed, right = (Sample(settings, tmp_path, name) for name in databases)
    seen: Counter[str] = Counter()
    for number in range((EDITS // 2 + CHAIN - 1) // CHAIN):
        draw = random.Random(f"{mode} {number}")
        declared = sample(mode)
        for each in (replayed, right):
            contract = each.declare(declared)
            each.clear(contract.source)
        made = files(draw, contract.source)
        for name, lines in made.items():
            deliver(replayed.settings, contract.source, name, lines)
        instants: list[tuple[datetime, contracts.Contract, list[tuple[Any, ...]]]] = []
        for edit in range(CHAIN):
            ((instant,),) = ask(replayed.settings, "select clock_timestamp()")
            known = replayed.known(contract, "row.known_at @> %s", instant)
            instants.append((instant, contract, known))
            declared = edited(draw, declared)
            contract = replayed.declare(declared)
            if draw.random() < 0.2:  # one more file, under the new contract, before anybody thinks of a replay
                name, lines = next(iter(files(draw, contract.source).items()))
                if name not in made:
                    made[name] = lines
                    deliver(replayed.settings, contract.source, name, lines)
            for each in replay(replayed.settings, contract.source).sources:
                seen += Counter(replaced=each.replaced, unchanged=each.unchanged, freed=each.freed, held=each.held)
                seen["refused"] += len(each.refused)
            right.declare(declared)
            right.clear(contract.source)
            names = list(made)
            draw.shuffle(names)
            for name in names:
                deliver(right.settings, contract.source, name, made[name])
            where = f"{mode} {number}, edit {edit}"
            found, wanted = replayed.state(contract), right.state(contract)
            for what in wanted:
                assert found[what] == wanted[what], f"{where}: {what}"
            assert replays.outdated(replayed.settings) == {}, where
            for instant, then, known in instants:
                assert replayed.known(then, "row.known_at @> %s", instant) == known, f"{where}: as known at {instant}"
            assert replay(replayed.settings, contract.source).sources == [], where
    # What the seeds of a longer run draw is enough to meet all of it.
    assert EDITS < 24 or {"replaced", "unchanged", "freed", "held", "refused"} == seen.keys(), seen


# ---------------------------------------------------------------- a contract that is mended

PROJECT = Path(__file__).resolve().parents[2]
UNITS = "单位名称,统一社会信用代码,是否需编目挂接,应编目数,已编目数,已挂接数"


def halfyear(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.main, arguments, env={"COLUMNS": "1000"}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def unit_rows(count: int, due: int = 10) -> list[str]:
    with (PROJECT / "expectations" / "core" / "body.csv").open(encoding="utf-8-sig") as stream:
        bodies = [(row["name"], row["code"]) for row in csv.DictReader(stream)][:count]
    return [f"{name},{code},是,{due},8,5" for name, code in bodies]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout of this test, whose contracts may be edited."""
    folder = tmp_path / "project"
    for name in ("expectations", "sql"):
        shutil.copytree(PROJECT / name, folder / name)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(folder))
    contracts.load_all.cache_clear()
    yield folder
    contracts.load_all.cache_clear()


def mend(project: Path, source: str, change: Callable[[dict[str, Any]], object]) -> None:
    path = project / "expectations" / "sources" / f"{source}.yaml"
    declared = contracts.read_yaml(path.read_text("utf-8"))
    change(declared)
    path.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    contracts.load_all.cache_clear()


def field(declared: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in declared["properties"] if each["name"] == name)


def test_a_mended_contract_a_seal_and_the_same_bytes_again(warehouse: Settings, project: Path) -> None:
    own = replace(warehouse, project=project)
    rows = [*unit_rows(20)[:17], *unit_rows(20, due=8)[17:]]
    mend(project, "catalogue_unit", lambda it: field(it, "entries_due").update(minimum=9))
    name = "catalogue_unit_20220630.csv"
    assert deliver(own, "catalogue_unit", name, [UNITS, *rows]) == "loaded_with_quarantine"
    halfyear("ingest", code=0)
    refused = CliRunner().invoke(command.main, ["publish", "2022-S1"])
    named = re.findall(r"--except|(?<=--except )\S+", refused.stderr)
    halfyear("publish", "2022-S1", "--approved-by", "乙", *named)
    sealed = ask(own, "select * from mart.indicator order by period, indicator_code, body_code")
    ((sealed_at,),) = ask(own, "select sealed_at from mart.vintage")

    mend(project, "catalogue_unit", lambda it: field(it, "entries_due").update(minimum=0))
    path = Path(own.inbox) / "catalogue_unit" / name
    assert "装载 loaded 20" in halfyear("check", str(path))
    told = halfyear("ingest")
    assert "没有新文件" in told
    assert all("judged: catalogue_unit 1;" in said for said in (told, halfyear("status")))
    again = deliver(own, "catalogue_unit", "catalogue_unit_20220630_2.csv", [UNITS, *rows])
    assert again == "repeated"

    before = core(own)
    rehearsed = halfyear("replay", "--dry-run")
    for words in ("rows freed: 3", "newly held: 0", "2022-S1 catalogue_units: 17", "→ 20", "would become candidates"):
        assert words in rehearsed
    assert core(own) == before and ask(own, "select count(*) from lineage.replay") == [(0,)]
    assert ask(own, "select count(*) from mart.restatement_candidate") == [(0,)]
    assert ask(own, "select tablename from pg_tables where schemaname = 'staging'") == []

    assert "rows freed: 3" in halfyear("replay", "--source", "catalogue_unit")
    assert "没有由旧合同判断的装载" in halfyear("replay")
    verdicts = ask(own, "select file_name, verdict from lineage.delivery order by 1")
    assert verdicts == [(name, "loaded"), ("catalogue_unit_20220630_2.csv", "repeated")]
    # The seal stands and verifies; what it would be now is a candidate, of what the dry run said.
    assert ask(own, "select * from mart.indicator order by period, indicator_code, body_code") == sealed
    halfyear("verify")
    assert ask(
        own,
        "select sealed_printed, provisional_printed from mart.restatement_candidate "
        "where indicator_code = 'catalogue_units' and body_code is null",
    ) == [("17个", "20个")]
    at_the_seal = json.loads(halfyear("indicators", "2022-S1", "--as-known", sealed_at.isoformat(), "--format", "json"))
    assert {row["indicator_code"]: row["printed"] for row in at_the_seal}["catalogue_units"] == "17个"
    assert_figures_are_rows(own)


def test_deliveries_that_stand_are_not_refused_unasked(warehouse: Settings, project: Path) -> None:
    own = replace(warehouse, project=project)
    deliver(own, "catalogue_unit", "catalogue_unit_20220629.csv", [UNITS, *unit_rows(20)])
    deliver(own, "catalogue_unit", "catalogue_unit_20220630.csv", [UNITS, *unit_rows(19)])
    halfyear("ingest")
    before = core(own)
    mend(project, "catalogue_unit", lambda it: field(it, "entries_due").update(minimum=9999))
    rehearsed = halfyear("replay", "--dry-run", code=1)
    assert rehearsed.count("→ 拒收 refused: ") == 2 and "newly held: 39" in rehearsed
    said = halfyear("replay", code=1)
    assert "--accept-refusals" in said and core(own) == before
    assert ask(own, "select tablename from pg_tables where schemaname = 'staging'") == []
    halfyear("replay", "--accept-refusals", code=1)
    assert ask(own, "select count(*) from core.catalogue_unit where upper_inf(known_at)") == [(0,)]
    assert_figures_are_rows(own)
    # Mended after all: the files are judged again by whoever comes first, and nothing was lost.
    mend(project, "catalogue_unit", lambda it: field(it, "entries_due").update(minimum=0))
    halfyear("replay", "--since", "2022-06-30")
    assert ask(own, "select verdict from lineage.delivery order by snapshot_date") == [("refused",), ("loaded",)]
    halfyear("replay")
    assert core(own) == before


def test_a_list_that_rules_read_judges_too(warehouse: Settings) -> None:
    contract = contracts.load_all(warehouse.expectations)["manual_return"]
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        before = judgement.lists_fingerprint(cursor, contract)
        cursor.execute("update indicators.definition set changed_at = now()")
        assert before is not None and judgement.lists_fingerprint(cursor, contract) == before
        cursor.execute("update indicators.definition set sources = sources || '{manual_return}' where reading = ''")
        assert judgement.lists_fingerprint(cursor, contract) != before
        assert judgement.lists_fingerprint(cursor, contracts.load_all(warehouse.expectations)["catalogue_unit"]) is None


# ---------------------------------------------------------------- a warehouse that is lost


def core(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """The rows known now, apart from known_at and load_id."""
    found = {}
    for source, contract in contracts.load_all(settings.expectations).items():
        columns = ", ".join(f'"{p.column}"' for p in contract.columns)
        valid = ", valid_at::text" if contract.mode == "register" else ""
        found[source] = ask(
            settings,
            f"select record_key{valid}, row_number, {columns} from core.{source} where upper_inf(known_at) order by 1, 2, 3",
        )
    return found


@pytest.mark.timeout(900)
def test_a_lost_warehouse_comes_back_from_landing(
    settings: Settings, template: str, warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.write(Path(warehouse.inbox), periods=2, sources=("catalogue_unit", "cloud_migration", "account_activation"))
    halfyear("ingest", code=1)
    # What a person decided, and what was refused for its name, come back too.
    assert deliver(warehouse, "catalogue_unit", "catalogue_unit_20220701.csv", [UNITS, *unit_rows(9)]) == "refused"
    deliver(warehouse, "catalogue_unit", "catalogue_unit of July.csv", [UNITS, *unit_rows(9)])
    ((delivery,),) = ask(warehouse, "select delivery_id from lineage.delivery where rule = 'fewer_rows_than_before'")
    halfyear("accept", str(delivery), "--reason", "合并")
    ledger_text = (
        "select file_name, sha256, received_at::date, is_late, verdict, delivery.rule, rows_read, rows_loaded, "
        "rows_quarantined, accepted_by, acceptance.reason from lineage.delivery left join lineage.load using (delivery_id) "
        "left join lineage.acceptance using (delivery_id) order by 1, 2"
    )
    figures_text = (
        "select period, indicator_code, body_code, numerator, denominator, value, printed, change_on_previous, change_on_year "
        "from mart.indicator order by period, indicator_code, body_code"
    )

    before = core(warehouse), ask(warehouse, ledger_text), ask(warehouse, figures_text)
    shutil.rmtree(warehouse.inbox)
    database = f"rebuilt_{os.getpid()}"
    server = psycopg2.connect(embedded.server_url(settings, "postgres") or "")
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"create database {database} template {template}")
        monkeypatch.setenv("HALFYEAR_WAREHOUSE", embedded.server_url(settings, database) or "")
        rebuilt = settings_module.load()
        assert "only landing has them, to be loaded" in halfyear("replay", "--dry-run")
        assert ask(rebuilt, "select count(*) from lineage.delivery") == [(0,)]
        halfyear("replay", code=0)
        after = core(rebuilt), ask(rebuilt, ledger_text), ask(rebuilt, figures_text)
        for found, wanted in zip(after, before, strict=True):
            assert found == wanted
        assert_figures_are_rows(rebuilt)
        assert "没有由旧合同判断的装载" in halfyear("replay")
        cursor.execute(f"drop database {database} with (force)")
    server.close()
