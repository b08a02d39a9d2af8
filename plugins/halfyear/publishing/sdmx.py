"""The published figures of a half-year for statisticians: SDMX-CSV 2.0, and the SDMX-ML 2.1 message of its structure.

The names of dimensions and attributes are those of the SDMX content-oriented guidelines. The data hold codes and
numbers only: every title is in the structure message, in Chinese and English. No code begins with a sign that a
spreadsheet runs, so that the data are valid SDMX for programs and harmless in a spreadsheet at once. ``sdmx1`` writes both; it is imported where it is used, since it takes a second.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from psycopg2.extensions import connection as Connection

from halfyear.contract import Title
from halfyear.errors import ContractError, UsageError
from halfyear.indicators.definition import CITY
from halfyear.indicators.rounding import shown
from halfyear.period import Period
from halfyear.publishing import page
from halfyear.settings import LOCAL_ZONE
from halfyear.statement_file import statement

#: The id of the dataflow and of its data structure; both have the version, which grows when a component changes.
ID = "HALFYEAR_FIGURES"
VERSION = "1.0"
#: The code of the whole city: that of every total in the content-oriented guidelines.
TOTAL = "_T"
#: The code list of each coded component.
CODE_LISTS = {
    "FREQ": "CL_FREQ",
    "INDICATOR": "CL_INDICATOR",
    "BODY": "CL_BODY",
    "UNIT_MEASURE": "CL_UNIT",
    "OBS_STATUS": "CL_OBS_STATUS",
}

# An SDMX id may begin with @ or -; ours do not.
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_@$\-]*\Z", re.ASCII)

Status = Literal["A", "B", "P", "R"]

_CONCEPTS: dict[str, tuple[Title, Title]] = {
    "FREQ": (Title(zh="频率", en="Frequency"), Title(zh="S：每半年一个值", en="S: one value per half-year")),
    "INDICATOR": (Title(zh="指标", en="Indicator"), Title(zh="指标代码", en="Code of the indicator")),
    "BODY": (
        Title(zh="单位", en="Body"),
        Title(zh="统一社会信用代码；_T 为全市", en="Unified social credit code of the body; _T is the whole city"),
    ),
    "TIME_PERIOD": (
        Title(zh="半年期", en="Half-year"),
        Title(zh="2022-S1 为 2022 年上半年", en="2022-S1 is the first half of 2022, in Asia/Shanghai"),
    ),
    "OBS_VALUE": (
        Title(zh="值", en="Value"),
        Title(
            zh="按印刷的小数位四舍五入；没有数据或分母为零时为空",
            en="Rounded half up to the decimals as printed; empty when nothing is known or the denominator is zero",
        ),
    ),
    "UNIT_MEASURE": (Title(zh="计量单位", en="Unit of measure"), Title(zh="值的单位", en="Unit of the value")),
    "DECIMALS": (
        Title(zh="小数位", en="Decimals"),
        Title(zh="印刷的小数位数", en="Number of decimals that are printed"),
    ),
    "OBS_STATUS": (
        Title(zh="观测状态", en="Observation status"),
        Title(zh="A 正常，B 序列中断，P 暂定，R 重述", en="A normal, B break in the series, P provisional, R revised"),
    ),
    "VINTAGE": (
        Title(zh="版次", en="Vintage"),
        Title(zh="封存版次；暂定值为空", en="Number of the sealed vintage; empty while the value is provisional"),
    ),
    "NUMERATOR": (
        Title(zh="分子", en="Numerator"),
        Title(zh="计入各行数量之和，未经单位换算", en="Sum over the rows that count, before conversion to the unit"),
    ),
    "DENOMINATOR": (
        Title(zh="分母", en="Denominator"),
        Title(
            zh="比率和平均数的分母，未经单位换算",
            en="The same over the rows of the denominator, of ratios and averages",
        ),
    ),
}
_STATUSES: dict[Status, tuple[Title, Title]] = {
    "A": (Title(zh="正常", en="Normal value"), Title(zh="已封存的首次公布值", en="Sealed, as first published")),
    "P": (
        Title(zh="暂定", en="Provisional value"),
        Title(zh="尚未封存，仍会变动", en="Not sealed: it may still change"),
    ),
    "R": (
        Title(zh="重述", en="Revised value"),
        Title(zh="已封存，且后来的版次改变了首次公布值", en="Sealed, and changed by a vintage after the first"),
    ),
}


@dataclass(frozen=True)
class Name:
    """A code of a code list with its names; ``parent`` is a code of the same list."""

    code: str
    zh: str
    en: str | None = None
    description: Title | None = None
    parent: str | None = None


class Figure(NamedTuple):
    """One observation: codes, and numbers as they are written; ``value`` is rounded as printed."""

    indicator: str
    body: str
    value: Decimal | None
    unit: str
    decimals: int
    status: Status
    vintage: int | None
    numerator: Decimal | None
    denominator: Decimal | None


@dataclass(frozen=True)
class Publication:
    """The figures of one half-year in the order of the tables, and the codes that they may use."""

    period: Period
    figures: Sequence[Figure]
    indicators: Sequence[Name]
    bodies: Sequence[Name]
    units: Sequence[Name]


# ---------------------------------------------------------------- what is exported


def read(connection: Connection, period: Period) -> Publication:
    """The published figures of a half-year, for the city and every body, as they are in force.

    The names of indicators, bodies and units are those of the seal where there is one. Raises UsageError when nothing is
    computed for the half-year, and ContractError for a unit without a code.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "figures_for_sdmx"), {"period": str(period), "total": TOTAL})
        rows = cursor.fetchall()
        if not rows:
            cursor.execute("select min(period), max(period) from mart.indicator")
            first, last = cursor.fetchone() or (None, None)
            known = f"；已有 {first} 至 {last} / there are {first} to {last}" if first else ""
            raise UsageError(f"{period}: 没有数据 / nothing was computed for this half-year{known}")
    indicators = [
        Name(
            row["indicator_code"], row["name_zh"], row["name_en"],
            Title(zh=row["description_zh"], en=row["description_en"]),
        )
        for row in page.rows(connection, period, "definitions")
    ]  # fmt: skip
    # A body comes after the one above it, as readers of SDMX-ML like it.
    bodies = {
        row["body_code"]: Name(row["body_code"], row["body_name"], parent=row["parent_code"])
        for row in page.rows(connection, period, "bodies")
    }
    units = {row["unit"]: row for row in page.rows(connection, period, "units")}
    # A body that has left the list keeps the figures that it had.
    gone = sorted({row[1] for row in rows} - bodies.keys() - {TOTAL})
    unknown = sorted({row[3] for row in rows} - units.keys())
    if unknown:
        raise ContractError(
            f"{', '.join(unknown)}: 单位没有代码，请补入 units.yaml / the unit has no code; add it to expectations/indicators/units.yaml"
        )
    return Publication(
        period,
        [
            Figure(
                code,
                body,
                None if value is None else shown(value, decimals, unit),
                units[unit]["code"],
                decimals,
                *rest,
            )
            for code, body, value, unit, decimals, *rest in rows
        ],
        indicators,
        [Name(TOTAL, CITY, "The whole city"), *bodies.values(), *(Name(code, code) for code in gone)],
        [Name(unit["code"], unit["name_zh"], unit["name_en"]) for unit in units.values()],
    )


# ---------------------------------------------------------------- the messages


def structure_message(publication: Publication, agency: str, prepared: datetime) -> Any:
    """The ``sdmx.message.StructureMessage``: concepts, code lists, data structure and dataflow."""
    from sdmx import message
    from sdmx.model import common, v21

    maintainer = common.Agency(id=agency)

    def named(zh: str, en: str | None) -> dict[str, str]:
        return {"zh": zh} | ({"en": en} if en else {})

    def maintained(kind: type[Any], identity: str, zh: str, en: str) -> Any:
        return kind(
            id=identity, name=named(zh, en), version=VERSION, maintainer=maintainer,
            is_external_reference=False, is_final=False,
        )  # fmt: skip

    def code_list(component: str, zh: str, en: str, names: Iterable[Name]) -> Any:
        made = maintained(common.Codelist, CODE_LISTS[component], zh, en)
        codes = {}
        for each in names:
            if not _CODE.match(each.code):
                raise UsageError(f"{made.id}: {each.code!r}: 不是 SDMX 代码 / is no code of SDMX")
            description = named(each.description.zh, each.description.en) if each.description else {}
            codes[each.code] = common.Code(id=each.code, name=named(each.zh, each.en), description=description)
            made.append(codes[each.code])
        for each in names:
            if each.parent in codes:
                codes[each.code].parent = codes[each.parent]
        return made

    lists = {
        "FREQ": code_list("FREQ", "频率", "Frequency", [Name("S", "半年", "Half-yearly, semester")]),
        "INDICATOR": code_list("INDICATOR", "指标", "Indicators", publication.indicators),
        "BODY": code_list("BODY", "单位", "Bodies of the city", publication.bodies),
        "UNIT_MEASURE": code_list("UNIT_MEASURE", "计量单位", "Units of measure", publication.units),
        "OBS_STATUS": code_list(
            "OBS_STATUS",
            "观测状态",
            "Observation status",
            [Name(code, name.zh, name.en, description) for code, (name, description) in _STATUSES.items()],
        ),
    }
    concepts = maintained(common.ConceptScheme, "CS_HALFYEAR", "半年期指标的概念", "Concepts of half-year figures")
    for identity, (name, description) in _CONCEPTS.items():
        concepts.append(
            common.Concept(id=identity, name=named(name.zh, name.en), description=named(description.zh, description.en))
        )

    def uncoded(kind: str) -> Any:
        return common.Representation(non_enumerated=[common.Facet(value_type=common.FacetValueType[kind])])

    def component(kind: type[Any], identity: str, value_type: str = "", **more: Any) -> Any:
        coded = common.Representation(enumerated=lists[identity]) if identity in lists else uncoded(value_type)
        return kind(id=identity, concept_identity=concepts[identity], local_representation=coded, **more)

    structure = maintained(v21.DataStructureDefinition, ID, "半年期指标", "Half-year figures")
    # The ids that SDMX fixes.
    structure.dimensions.id, structure.measures.id, structure.attributes.id = (
        "DimensionDescriptor", "MeasureDescriptor", "AttributeDescriptor",
    )  # fmt: skip
    dimensions = [component(common.Dimension, name, order=n) for n, name in enumerate(("FREQ", "INDICATOR", "BODY"), 1)]
    dimensions.append(component(common.TimeDimension, "TIME_PERIOD", "observationalTimePeriod", order=4))
    structure.dimensions.components.extend(dimensions)
    structure.measures.components.append(component(v21.PrimaryMeasure, "OBS_VALUE", "decimal"))
    of_indicator = common.DimensionRelationship(dimensions=[dimensions[1]])
    of_observation = v21.PrimaryMeasureRelationship()
    mandatory, conditional = common.UsageStatus.mandatory, common.UsageStatus.conditional
    structure.attributes.components.extend(
        component(common.DataAttribute, name, kind, related_to=of, usage_status=usage)
        for name, kind, of, usage in (
            ("UNIT_MEASURE", "", of_indicator, mandatory),
            ("DECIMALS", "integer", of_indicator, mandatory),
            ("OBS_STATUS", "", of_observation, mandatory),
            ("VINTAGE", "integer", of_observation, conditional),
            ("NUMERATOR", "decimal", of_observation, conditional),
            ("DENOMINATOR", "decimal", of_observation, conditional),
        )
    )
    flow = maintained(v21.DataflowDefinition, ID, "半年期指标", "Half-year figures")
    flow.structure = structure

    header = message.Header(
        id=f"{ID}_{publication.period}_{prepared:%Y%m%d%H%M%S}", prepared=prepared, sender=maintainer, test=False
    )
    made = message.StructureMessage(header=header)
    for artefact in (*lists.values(), concepts, structure, flow):
        made.add(artefact)
    return made


def data_set(publication: Publication, structure: Any) -> Any:
    """The ``sdmx`` data set of the figures; ``structure`` is the message that `structure_message` makes."""
    from sdmx.model import common, v21

    flow = structure.dataflow[ID]
    dsd = flow.structure
    made = v21.DataSet(described_by=flow, structured_by=dsd)
    attributes = {each.id: each for each in dsd.attributes.components}
    for figure in publication.figures:
        key = dsd.make_key(
            common.Key,
            {"FREQ": "S", "INDICATOR": figure.indicator, "BODY": figure.body, "TIME_PERIOD": str(publication.period)},
        )
        values = {
            "UNIT_MEASURE": figure.unit,
            "DECIMALS": str(figure.decimals),
            "OBS_STATUS": figure.status,
            "VINTAGE": _written(figure.vintage),
            "NUMERATOR": _written(figure.numerator),
            "DENOMINATOR": _written(figure.denominator),
        }
        observation = v21.Observation(dimension=key, value=_written(figure.value), value_for=dsd.measures.components[0])
        for name, value in values.items():
            observation.attached_attribute[name] = v21.AttributeValue(value=value, value_for=attributes[name])
        made.obs.append(observation)
    return made


def _written(number: Decimal | int | None) -> str:
    return "" if number is None else f"{number:f}" if isinstance(number, Decimal) else str(number)


def data_csv(publication: Publication, structure: Any) -> str:
    """The figures as SDMX-CSV 2.0; ``structure`` is the message that `structure_message` makes."""
    from sdmx.format.csv.v2 import FormatOptions
    from sdmx.writer.csv import to_csv

    text = io.StringIO()
    to_csv(data_set(publication, structure), path=text, format_options=FormatOptions(), attributes="o", dtype=None)  # type: ignore[arg-type]
    return text.getvalue()


# ---------------------------------------------------------------- files


def files(output: Path, period: Period) -> tuple[Path, Path]:
    """Where data and structure go: ``output`` is the CSV file, or a folder that gets both under names of their own."""
    if output.suffix.lower() == ".csv" and not output.is_dir():
        return output, output.with_name(f"{output.stem}_structure.xml")
    return output / f"halfyear_{period}.csv", output / f"halfyear_{period}_structure.xml"


def write(publication: Publication, agency: str, output: Path) -> tuple[Path, Path]:
    """Write data and structure, see `files`; a folder is made where there is none. Raises OSError."""
    from sdmx.writer.xml import to_xml

    structure = structure_message(publication, agency, datetime.now(LOCAL_ZONE).replace(microsecond=0))
    data, message = files(output, publication.period)
    data.parent.mkdir(parents=True, exist_ok=True)
    message.write_bytes(to_xml(structure, pretty_print=True))
    data.write_text(data_csv(publication, structure), "utf-8", newline="")
    return data, message
