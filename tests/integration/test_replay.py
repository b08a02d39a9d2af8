"""Replay: mending a contract afterwards ends where a contract that was right from the start would have.

The property is asked of two sources that exist only here, a register and events: files of messy rows are loaded, their
contract is edited at random again and again, and after each edit and replay the warehouse has to be like one that never
knew another contract. What was known at any instant before stays known of it. REPLAY_EDITS is the number of edits.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from halfyear import contract as contracts
from halfyear import warehouse as warehouse_module
from halfyear.scheduling import night
from halfyear.scheduling import replay as replays
from halfyear.settings import Settings
from halfyear.warehouse import core_table, embedded

EDITS = int(os.environ.get("REPLAY_EDITS", "24"))
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
        "slaProperties": {"frequency": "0 1 * * *"},
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
            "verdicts": ask(
                self.settings,
                "select file_name, verdict, delivery.rule, contract_fingerprint, rows_read, rows_passed, rows_loaded, "
                "rows_quarantined, rows_skipped, state from lineage.delivery as delivery "
                "left join lineage.load as load on load.delivery_id = delivery.delivery_id and replaced_at is null order by 1",
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
    # What the seeds of a short run draw is enough to meet all of it.
    assert {"replaced", "unchanged", "freed", "held", "refused"} == seen.keys(), seen
