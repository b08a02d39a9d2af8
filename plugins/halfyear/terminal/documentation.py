"""What is generated from the declarations: data dictionary, indicator list and JSON Schemas.

Everything here is a function of the files below ``expectations/`` and ``sql/indicators/`` and of one list of the
locked python-stdnum: no database, no clock, the same bytes on every machine. ``halfyear docs`` writes the files,
``halfyear docs --check`` and a test say whether they are true.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from halfyear import contract as contracts
from halfyear import markdown_text
from halfyear.contract import DIMENSIONS, Contract, Property, Rule
from halfyear.indicators import definition as definition_module
from halfyear.indicators import population
from halfyear.indicators.definition import Definition
from halfyear.indicators.population import PopulationHeader
from halfyear.settings import Settings
from halfyear.staging.rule import column_of, is_nulled, suite

_GENERATED = "<!-- Written by `halfyear docs` from {origin}; changes belong there. -->"
_SEVERITIES = {
    "critical": "拒收文件 refuses the file",
    "warning": "隔离该行 quarantines the row",
    "info": "仅记录 records",
}
_NULLED = "按空值装载 loads the value as null"
_MODES = {
    "register": "全量快照 register: the full list as of the snapshot date",
    "events": "增量事件 events: a batch of happenings up to the snapshot date",
}
_TYPES = {
    "string": "文本 text",
    "integer": "整数 whole number",
    "number": "数值 number",
    "boolean": "是/否 yes/no",
    "date": "日期 date",
    "timestamp": "时间 date and time",
}
_FORMATS = {
    "name": "名称 name",
    "code": "代码 code",
    "unified_social_credit_code": "统一社会信用代码 GB 32100",
    "resident_id": "公民身份号码 GB 11643",
    "mobile": "手机号 mobile number",
    "region_code": "行政区划代码 GB/T 2260",
    "free_text": "自由文本 free text",
    "percent": "百分比 per cent",
    "month": "月份 month",
}
_KINDS = {
    "stock": "存量 stock",
    "flow": "流量 flow",
    "ratio": "比率 ratio",
    "average": "平均 average",
}
_READINGS = {
    "last_day": "期末 as it held on the last day",
    "year_end_before": "上年末 as it held on the last day of the year before",
    "history": "历次清单 in all its versions",
    "group": "整组 by whole groups, in whichever half-year they lie",
}
_WITHOUT_ROWS = {"zero": "0", "null": "— (null)"}


def _reads(sources: Iterable[tuple[str, str]]) -> str:
    """Each source with how it is read."""
    return "; ".join(
        f"[{source}](dictionary/{source}.md) {_READINGS.get(reading) or f'期内 in the half-year by `{reading}`'}"
        for source, reading in sources
    )


def write(settings: Settings, only_check: bool) -> list[Path]:
    """Write every generated file that is not what it should be, and remove dictionary pages of sources that are gone.

    Returns the paths that were, or with ``only_check`` would be, written or removed. Raises ContractError for a
    declaration that breaks its schema.
    """
    wanted = pages(settings)
    changed = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    gone = [path for path in sorted(_dictionary(settings).glob("*.md")) if path not in wanted]
    if not only_check:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8", newline="\n")
        for path in gone:
            path.unlink()
    return sorted([*changed, *gone])


def pages(settings: Settings) -> dict[Path, str]:
    """Every generated file with its text."""
    declared = contracts.load_all(settings.expectations)
    definitions = definition_module.load_all(settings.sql)
    folder = _dictionary(settings)
    found = {folder / "README.md": _index(declared)}
    for source, contract in declared.items():
        readers = [d for d in definitions.values() if source in d.sources]
        found[folder / f"{source}.md"] = _page(contract, readers)
    populations = population.load_declarations(settings.sql).populations
    found[settings.project / "docs" / "indicators.md"] = _indicators(definitions, populations)
    found[settings.expectations / "source.schema.json"] = _schema(contracts.json_schema())
    found[settings.expectations / "indicator.schema.json"] = _schema(definition_module.json_schema())
    found[settings.expectations / "population.schema.json"] = _schema(population.json_schema())
    found[settings.expectations / "core" / "county.csv"] = _counties()
    return found


def _dictionary(settings: Settings) -> Path:
    return settings.project / "docs" / "dictionary"


def _schema(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _counties() -> str:
    """The county codes of all editions of GB/T 2260 since 1981 that python-stdnum knows, one a line."""
    from stdnum import numdb

    provinces = numdb.get("cn/loc").prefixes
    codes = sorted(province + rest for _, province, _, _, below in provinces for _, rest, _, _, _ in below)
    return "\n".join(["county_code", *codes]) + "\n"


# ---------------------------------------------------------------- the data dictionary


def _index(declared: Mapping[str, Contract]) -> str:
    rows = [
        (
            f"[{source}]({source}.md)",
            f"{contract.title_zh} {contract.title_en}",
            _MODES[contract.mode].partition(":")[0],
            contract.format,
            contract.grain,
            str(len(contract.properties)),
        )
        for source, contract in declared.items()
    ]
    return _text(
        _GENERATED.format(origin="`expectations/sources/`"),
        "# 数据字典 Data dictionary",
        "One page per source, named as the source is named everywhere: contract, folder in the inbox, DAG "
        "`ingest__<source>`, table `core.<source>`.",
        _table(("source", "名称 title", "方式 mode", "格式 format", "粒度 grain", "字段 fields"), rows),
    )


def _page(contract: Contract, readers: Iterable[Definition]) -> str:
    return _text(
        _GENERATED.format(origin=f"`expectations/sources/{contract.source}.yaml`"),
        f"# {contract.title_zh} {contract.title_en}",
        contract.description,
        _table(("", ""), _facts(contract)),
        "## 字段 Fields",
        _table(
            ("表头 header", "列 column", "类型 type", "单位 unit", "", "说明 description"),
            [_field(p) for p in contract.properties],
        ),
        "**K** 主键 part of the key · **R** 必填 required · **P** 个人信息 personal data · **N** 不合格值按空值装载 a bad value "
        "loads as null. Besides these, `core."
        f"{contract.source}` has `record_key`, `row_number`, `load_id`"
        + (", `valid_at`" if contract.mode == "register" else "")
        + " and `known_at`.",
        *_values(contract),
        "## 规则 Rules",
        "In the order in which Great Expectations is asked. Those that follow from the fields come first; a cell that "
        "cannot be read as its type is rejected before, by the reader: its row is quarantined, or it loads as null (**N**).",
        _table(
            ("rule", "列 column", "说明 description", "维度 dimension", "结果 a breach", "Great Expectations"),
            [_rule(contract, rule) for rule in suite(contract)],
        ),
        "## 指标 Indicators",
        _list(f"[{_full_code(d)}](../indicators.md#{_anchor(d)}) {d.name_zh} {d.name_en}" for d in readers)
        or "None reads this source yet.",
    )


def _facts(contract: Contract) -> Iterator[tuple[str, str]]:
    yield "粒度 grain", contract.grain
    yield "主键 key", ", ".join(f"`{p.column}`" for p in contract.key)
    yield "方式 mode", _MODES[contract.mode]
    if contract.period_property:
        yield "所属期 a row's half-year", f"that of `{contract.period_property}`"
    delivered = contract.format + (f", {contract.encoding}" if contract.encoding else "")
    yield "交付 delivered as", f"`{contract.source}/{contract.source}_<YYYYMMDD>[_<n>].{contract.format}` ({delivered})"
    yield "计划 schedule", f"`{contract.schedule}` Asia/Shanghai"
    days = contract.sla_properties.latency_days
    yield "时限 latency", f"{days} day{'' if days == 1 else 's'} after the snapshot date"
    yield "应报 has to deliver", contract.sla_properties.words(contract.mode)
    yield (
        "拒收 refused when",
        f"more than {contract.thresholds.max_rejected_share:.0%} of the rows are bad"
        + (
            f", or fewer rows than {contract.thresholds.min_share_of_previous:.0%} of the snapshot before"
            if contract.mode == "register"
            else ""
        ),
    )
    yield (
        "合计 control total",
        "a difference refuses the file" if contract.control_total == "refuse" else "a difference is a remark",
    )
    yield "版本 version", f"{contract.version} ({contract.status})"


def _field(field: Property) -> tuple[str, ...]:
    headers = " / ".join(field.headers)
    marks = [
        mark
        for mark, holds in (
            ("K", field.primary_key),
            ("R", field.is_required),
            ("P", field.is_personal),
            ("N", field.null_when_invalid),
        )
        if holds
    ]
    column = "不入库 dropped" if field.is_dropped else f"`{field.column}`"
    kind = _TYPES[field.logical_type]
    if field.format == "enumeration":
        kind = "枚举 one of a list"
    elif field.format is not None:
        kind = _FORMATS[field.format]
    unit = field.unit or ""
    if field.header_units:
        unit += f" (header: {', '.join(field.header_units)})"
    return headers, column, kind, unit.strip(), "".join(marks), f"{field.description}{_handling(field)}"


def _handling(field: Property) -> str:
    """How a personal column is treated, as a sentence after its description."""
    if field.is_dropped:
        text = "Free text about persons: never read into the warehouse"
    elif field.is_personal:
        text = "A keyed token is stored, never the value"
    elif field.identifies_person:
        text = "Stored; a token wherever a record is named"
    else:
        return ""
    return f". {text}" if field.description else text


def _values(contract: Contract) -> Iterator[str]:
    listed = [p for p in contract.properties if p.values]
    if not listed:
        return
    yield "## 取值 Values"
    rows = []
    for field in listed:
        labels = [
            label + (f" ({', '.join(spellings)})" if spellings else "")
            for label, spellings in (field.values or {}).items()
        ]
        rows.append((f"`{field.column}`", field.business_name, " · ".join(labels)))
    yield _table(("列 column", "表头 header", "取值 values (other spellings)"), rows)


def _rule(contract: Contract, rule: Rule) -> tuple[str, ...]:
    return (
        f"`{rule.rule}`",
        f"`{column_of(rule)}`" if column_of(rule) else "",
        f"{rule.description.zh} / {rule.description.en}",
        f"{DIMENSIONS[rule.dimension]} {rule.dimension}",
        _NULLED if is_nulled(contract, rule) else _SEVERITIES[rule.severity],
        f"`{rule.type}`",
    )


# ---------------------------------------------------------------- the list of indicators


def _indicators(
    definitions: Mapping[tuple[str, str], Definition], populations: Mapping[str, tuple[PopulationHeader, str]]
) -> str:
    blocks = [
        _GENERATED.format(origin="`sql/indicators/` and `sql/populations/`"),
        "# 指标清单 Indicators",
        "One file of `sql/indicators/` each, in the order of the tables. The select of a file returns the rows that "
        "count, and the number is their sum: `halfyear trace PERIOD CODE` lists them.",
    ]
    for _, group in groupby(definitions.values(), key=lambda d: d.domain):
        members = list(group)
        blocks += [f"## {members[0].domain_zh} {members[0].domain_en}", f"View: `mart.{members[0].domain}`."]
        blocks.append(
            _table(
                ("no.", "code", "名称 name", "单位 unit", "类别 kind"),
                [
                    (
                        d.published_no or "",
                        f"[{_full_code(d)}](#{_anchor(d)})",
                        f"{d.name_zh} {d.name_en}",
                        d.unit,
                        _KINDS[d.kind] + ("" if d.is_published else " · 第二口径 second reading"),
                    )
                    for d in members
                ],
            )
        )
        for definition in members:
            blocks += _definition(definition)
    blocks += [
        "## 统计总体 Populations",
        "Who or what is counted, said once in a file of `sql/populations/` each and read by several indicators.",
    ]
    for name, (header, _) in populations.items():
        readers = [d for d in definitions.values() if d.population == name]
        blocks += _population(name, header, readers)
    return _text(*blocks)


def _population(name: str, header: PopulationHeader, readers: Iterable[Definition]) -> Iterator[str]:
    yield f"### {name}"
    yield f"**{header.name_zh}** {header.name_en}"
    facts = [
        ("文件 file", f"[`sql/populations/{name}.sql`](../sql/populations/{name}.sql)"),
        ("粒度 grain", header.grain),
        ("读取 reads", f"[{header.of}](#{header.of})" if header.of else _reads(header.reads.items())),
        ("指标 indicators", ", ".join(f"[{_full_code(d)}](#{_anchor(d)})" for d in readers) or "—"),
    ]
    facts += [("剔除 left out", f"`{reason}` {text.zh} / {text.en}") for reason, text in header.excluded.items()]
    yield _table(("", ""), facts)


def _definition(definition: Definition) -> Iterator[str]:
    yield f"### {_full_code(definition)}"
    yield f"**{definition.name_zh}** {definition.name_en}"
    yield f"{definition.description_zh}  \n{definition.description_en}"
    facts = [
        (
            "文件 file",
            f"[`sql/indicators/{_full_code(definition)}.sql`](../sql/indicators/{_full_code(definition)}.sql)",
        ),
        (
            "统计总体 population",
            f"[{definition.population}](#{definition.population})" if definition.population else "—",
        ),
        ("读取 reads", _reads(zip(definition.sources, definition.readings, strict=True))),
        ("类别 kind", _KINDS[definition.kind]),
        ("印为 printed", _shape(definition)),
        ("无行时 without rows", _WITHOUT_ROWS[definition.without_rows]),
    ]
    if definition.published_no:
        place = f", {definition.section}" if definition.section else ""
        facts.append(("报告 report", f"figure {definition.published_no}{place}"))
    facts += [("剔除 left out", f"`{name}` {text['zh']} / {text['en']}") for name, text in definition.excluded.items()]
    yield _table(("", ""), facts)


def _shape(definition: Definition) -> str:
    """The printed form of a number with the decimals of the definition, such as 0.00%."""
    zeros = "0" if definition.decimals == 0 else "0." + "0" * definition.decimals
    shape = definition.template.format(value=zeros, unit=definition.unit)
    factor = "" if definition.scale == 1 else f", the rows' sum × {definition.scale.normalize():f}"
    return f"{shape}{factor}, rounded half up"


def _full_code(definition: Definition) -> str:
    return ".".join(filter(None, (definition.code, definition.reading)))


def _anchor(definition: Definition) -> str:
    """The anchor that a heading with the full code gets: full stops are dropped."""
    return _full_code(definition).replace(".", "")


# ---------------------------------------------------------------- Markdown


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return markdown_text.table(header, ([markdown_text.cell(cell) for cell in row] for row in rows))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _text(*blocks: str) -> str:
    return "\n\n".join(blocks) + "\n"
