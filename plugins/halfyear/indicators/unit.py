"""Units of indicators: their names, and their codes in exports for statisticians (SDMX code list CL_UNIT)."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from halfyear.contract import Title, place, read_yaml
from halfyear.errors import ContractError


class Unit(Title):
    """A unit of indicators: its code in exports, and its name in Chinese and English.

    ``measured``: a number in it is rounded, however it is printed; a whole number in any other unit is a count, and exact.
    """

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    measured: bool = False


def load_units(expectations: Path) -> dict[str, Unit]:
    """The units of indicators with their codes, from ``expectations/indicators/units.yaml``.

    Raises ContractError for a bad file and for a code that two units have.
    """
    path = expectations / "indicators" / "units.yaml"
    try:
        units = {str(name): Unit.model_validate(each) for name, each in read_yaml(path.read_text("utf-8")).items()}
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{place(path)}: {' '.join(str(error).split())}") from None
    codes = [unit.code for unit in units.values()]
    if len(set(codes)) < len(codes):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        raise ContractError(f"{place(path)}: 代码重复 / given to two units: {', '.join(twice)}")
    return units
