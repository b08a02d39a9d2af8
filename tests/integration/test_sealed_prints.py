"""A sealed half-year prints the same for ever, whatever is edited in the declarations afterwards.

Two half-years are sealed and everything that is printed of them is kept. Then every key of every definition, population, unit,
domain, value set, body, alias, identity and printed figure is edited: here all of one kind at once, and one at a time under
``make edits`` (``SEALED_EDITS``, how many of them).
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from halfyear import settings as settings_module
from halfyear import warehouse
from halfyear.indicators import computation
from halfyear.indicators.definition import IndicatorHeader
from halfyear.settings import Settings
from halfyear.terminal import command

pytestmark = pytest.mark.timeout(36000)

ROOT = Path(__file__).resolve().parents[2]
S2, S1 = "2021-S2", "2022-S1"
_VIEWS = ("indicator", "identity", "printed_identity", "reconciliation", "vintage", "restatement", "sealed_delivery")


def halfyear(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    done = CliRunner().invoke(command.main, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code in codes, done.output
    return done.output


def query(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def printed(settings: Settings, half: str, folder: Path) -> dict[str, str]:
    """Everything that is printed of a half-year, by what prints it."""
    found = {
        "table": halfyear("indicators", half),
        "csv": halfyear("indicators", half, "--format", "csv"),
        "json": halfyear("indicators", half, "--format", "json"),
        "body": halfyear("indicators", half, "--format", "csv", "--body", _BODY),
        "reconcile": halfyear("reconcile", half, codes=(0, 1)),
    }
    halfyear("report", half, "-o", str(folder / "report.md"))
    found["report"] = (folder / "report.md").read_text("utf-8")
    halfyear("export", half, "-o", str(folder / "export"))
    for path in sorted((folder / "export").iterdir()):
        found[path.name] = re.sub(
            r"<mes:(ID|Prepared)>[^<]*</mes:\1>|<message:(ID|Prepared)>[^<]*<", "", path.read_text("utf-8")
        )
    for view in _VIEWS:
        rows = query(settings, f"select to_jsonb(v)::text from mart.{view} as v where period = '{half}' order by 1")
        found[f"mart.{view}"] = "\n".join(row[0] for row in rows)
    rows = query(
        settings,
        f"select to_jsonb(v)::text from mart.indicator_history as v where period = '{half}' and status = 'sealed' order by 1",
    )
    found["mart.indicator_history"] = "\n".join(row[0] for row in rows)
    return found


_BODY = "11441289MB2143355A"


@pytest.fixture
def project(loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The demo's warehouse under a copy of the declarations, with two half-years sealed."""
    folder = tmp_path / "project"
    for name in ("sql", "expectations"):
        shutil.copytree(ROOT / name, folder / name)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(folder))
    found = settings_module.load()
    assert found.warehouse == loaded.warehouse
    refused = halfyear("publish", S2, "--prepared-by", "甲", "--approved-by", "乙", codes=(0, 2))
    named = re.findall(r"--except (\w+)", refused)
    for half, exceptions in ((S2, named), (S1, [])):
        words = [word for name in exceptions for word in ("--except", name)]
        halfyear("publish", half, *words, "--prepared-by", "甲", "--approved-by", "乙")
    return found


# ---------------------------------------------------------------- edits

Edit = tuple[str, Path, Callable[[str], str]]


def _header(text: str, change: Callable[[dict[str, Any]], None]) -> str:
    """A file of sql/indicators or sql/populations with another header."""
    match = re.match(r"/\*\n(.*?)\*/", text, re.DOTALL)
    assert match
    header = yaml.safe_load(match[1])
    change(header)
    return "/*\n" + yaml.safe_dump(header, allow_unicode=True, sort_keys=False) + "*/" + text[match.end() :]


def _set(key: str, value: Callable[[Any], Any]) -> Callable[[str], str]:
    def change(header: dict[str, Any]) -> None:
        new = value(header.get(key))
        if new is not None:
            header[key] = new

    return lambda text: _header(text, change)


def _renamed(value: Any) -> str:
    return f"{value}改"


def _titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _titles(each) for key, each in value.items()}
    return _renamed(value) if value else value


#: How each key of an indicator's header is edited, so that it still is a valid one.
_INDICATOR: dict[str, Callable[[Any], Any]] = {
    "name_zh": _renamed,
    "name_en": _renamed,
    "description_zh": _renamed,
    "description_en": _renamed,
    "excluded": _titles,
    "decimals": lambda value: (value or 0) + 1,
    "scale": lambda value: (value or 1) * 2,
    "template": lambda value: "约{value}{unit}",
    "without_rows": lambda value: "zero" if value == "null" else "null",
    "section": lambda value: "九(九)9",
    "domain": lambda value: "party_building" if value != "party_building" else "delegation",
    "unit": lambda value: "台" if value != "%" else value,
}
#: Keys of a header whose edit is another indicator: its select goes with them.
_OF_THE_SELECT = {"of", "reads", "kind", "quantity", "over", "published", "published_no", "part_of"}
assert {*_INDICATOR} | _OF_THE_SELECT == {*IndicatorHeader.model_fields}


def _csv(column: str, value: Callable[[dict[str, str]], str], only: Callable[[int], bool]) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = list(csv.DictReader(text.splitlines()))
        for number, line in enumerate(lines):
            if only(number):
                line[column] = value(line)
        names = list(lines[0])
        return "\n".join([",".join(names), *(_line(line[name] for name in names) for line in lines)]) + "\n"

    return change


def _line(cells: Iterator[str]) -> str:
    return ",".join(f'"{cell}"' if "," in cell or '"' in cell else cell for cell in cells)


def edits(folder: Path) -> Iterator[Edit]:
    """Every edit: its kind, the file, and what becomes of its text."""
    for path in sorted((folder / "sql" / "indicators").glob("*.sql")):
        for key, value in _INDICATOR.items():
            yield f"indicator {key}", path, _set(key, value)
    for path in sorted((folder / "sql" / "populations").glob("*.sql")):
        for key in ("name_zh", "name_en", "grain", "excluded"):
            yield f"population {key}", path, _set(key, _titles)
    lists = folder / "expectations"
    for name, column, value in (
        ("core/body.csv", "name", lambda line: line["name"] + "改"),
        ("core/body.csv", "kind", lambda line: "其他" if line["kind"] == "事业单位" else line["kind"]),
        ("core/body_alias.csv", "name", lambda line: line["name"] + "改"),
        (
            "core/value_set.csv",
            "value",
            lambda line: str(int(line["value"]) + 1) if line["value"].isdigit() else line["value"] + "改",
        ),
        ("core/value_set.csv", "valid_until", lambda line: line["valid_until"] or "2021-01-01"),
        ("indicators/published_figure.csv", "section", lambda line: line["section"] + "改"),
    ):
        for number in range(len((lists / name).read_text("utf-8-sig").splitlines()) - 1):
            yield f"{name} {column}", lists / name, _csv(column, value, lambda at, n=number: at == n)
    for number in range(len((lists / "indicators/published_figure.csv").read_text("utf-8").splitlines()) - 1):

        def gone(text: str, n: int = number) -> str:
            lines = text.splitlines(keepends=True)
            return "".join([*lines[: n + 1], *lines[n + 2 :]])

        yield "published_figure gone", lists / "indicators/published_figure.csv", gone
    for name in ("units.yaml", "domains.yaml", "identities.yaml"):
        yield f"{name} titles", lists / "indicators" / name, lambda text: re.sub(r"zh: ([^,}]+)", r"zh: \1改", text)
        yield (
            f"{name} titles in English",
            lists / "indicators" / name,
            lambda t: re.sub(r"en: ([A-Z]\w*)", r"en: \1x", t),
        )
    yield (
        "units.yaml codes",
        lists / "indicators" / "units.yaml",
        lambda text: re.sub(r"code: (\w+)", r"code: \1_X", text),
    )
    yield (
        "identities.yaml rules",
        lists / "indicators" / "identities.yaml",
        lambda t: re.sub(r"rule: (\w+)", r"rule: \1_x", t),
    )
    for path in sorted((lists / "sources").glob("*.yaml")):
        yield (
            "contract titles",
            path,
            lambda text: re.sub(r"(?m)^(name|title\w*|description\w*): (.+)$", r"\1: \2", text),
        )


def _apply(project: Settings, chosen: list[Edit]) -> None:
    for _, path, change in chosen:
        path.write_text(change(path.read_text("utf-8-sig")), "utf-8")
    warehouse.migrate(project)
    with warehouse.transaction(project) as connection:
        for period in computation.stale_periods(connection):
            computation.compute(connection, period)


def _restore(project: Settings) -> None:
    for name in ("sql", "expectations"):
        shutil.rmtree(project.project / name)
        shutil.copytree(ROOT / name, project.project / name)


def test_a_sealed_half_year_prints_the_same_after_every_edit(project: Settings, tmp_path: Path) -> None:
    before = {half: printed(project, half, tmp_path) for half in (S2, S1)}
    assert before[S1]["table"].count("sealed v1") == 1
    everything = list(edits(project.project))
    wanted = int(os.environ.get("SEALED_EDITS", "0"))
    rounds: list[tuple[str, list[Edit]]]
    if wanted:
        drawn = random.Random(0).sample(everything, min(wanted, len(everything)))
        rounds = [(f"{kind} {path.name}", [(kind, path, change)]) for kind, path, change in drawn]
    else:
        # Two rounds: in one the words are edited, in the other what moves figures.
        numbers = re.compile(
            r"indicator (decimals|scale|template|unit|without_rows|domain)|value_set|body.csv kind|gone|codes"
        )
        rounds = [
            (name, [each for each in everything if bool(numbers.search(each[0])) is is_number])
            for name, is_number in (("words", False), ("numbers", True))
        ]
    for name, chosen in rounds:
        _apply(project, chosen)
        for half in (S2, S1):
            after = printed(project, half, tmp_path)
            for what, text in before[half].items():
                assert after[what] == text, f"{name}: {what} of {half}"
        _restore(project)
    _not_comparable(project)


def _not_comparable(project: Settings) -> None:
    """A half-year in another unit than the sealed one before it, and one that a person linked to it."""
    path = project.project / "sql" / "indicators" / "resource_trade_amount.sql"

    def in_smaller_unit(header: dict[str, Any]) -> None:
        header.update(unit="万元", scale=float(header["scale"]) * 10000)

    path.write_text(_header(path.read_text("utf-8"), in_smaller_unit), "utf-8")
    units = project.project / "expectations" / "indicators" / "units.yaml"
    units.write_text(
        units.read_text("utf-8") + "万元: {code: CNY_10_THOUSAND, zh: 万元, en: Ten thousand yuan}\n", "utf-8"
    )
    # The half-year after is open, and has figures as soon as anything is loaded for it: here those of the half-year before.
    query(
        project,
        f"insert into indicators.observation (period, indicator_code, reading, body_code, numerator, denominator, "
        f"value, printed, definition_hash, computed_at) select '2022-S2', indicator_code, reading, body_code, numerator, "
        f"denominator, value, printed, definition_hash, computed_at from indicators.sealed_observation where period = '{S1}'",
    )
    warehouse.migrate(project)
    query(
        project,
        "update indicators.observation as o set definition_hash = d.definition_hash, value = value * 10000 "
        "from indicators.definition as d where o.period = '2022-S2' and d.indicator_code = o.indicator_code "
        "and d.reading = o.reading and o.indicator_code = 'resource_trade_amount'",
    )

    def asked() -> dict[str, Any]:
        rows = json.loads(halfyear("indicators", "2022-S2", "--format", "json"))
        return next(row for row in rows if row["indicator_code"] == "resource_trade_amount")

    row = asked()
    assert (row["previous_not_comparable"], row["change_on_previous"]) == ("unit", None)
    assert row["previous_printed"] == "1.1986亿元"
    ((before, after),) = query(
        project,
        f"select s.definition_hash, d.definition_hash from indicators.sealed_observation as s inner join indicators.definition "
        f"as d using (indicator_code, reading) where s.period = '{S1}' and s.indicator_code = 'resource_trade_amount' "
        "and s.reading = '' and s.body_code is null",
    )
    link = project.project / "expectations" / "indicators" / "series_link.csv"
    link.write_text(
        link.read_text("utf-8") + f"resource_trade_amount,{before},{after},10000,单位改为万元,统计科\n", "utf-8"
    )
    warehouse.migrate(project)
    row = asked()
    assert row["previous_not_comparable"] is None
    assert float(row["change_on_previous"]) == 0
