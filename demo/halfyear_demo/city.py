"""The invented city: its bodies, read from ``expectations/core``, and persons who do not exist.

The county code 441289 is not assigned and no mobile number begins with 154, so nothing here can belong to
a real body or person.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from halfyear import settings

NAME = "榕湾市"
REGION_CODE = "441289"

#: GB 32100-2015: the 31 characters of a unified social credit code, in the order of their values.
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: GB 11714-1997: the 36 characters of an organisation code, in the order of their values.
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
#: GB 11643-1999
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_SURNAMES = "陈李张黄何梁林罗王刘吴杨周徐谢邓郑钟曾叶苏朱彭冯蔡卢潘谭邹欧阳温莫麦区冼㛃"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英文华建国志坚晓燕海波丹宇浩梓轩雅婷嘉欣俊辉"
    "锦荣永康子健慧玲月容家豪美琪婉仪国栋瑞祥𠮷"
)


@dataclass(frozen=True)
class Body:
    """A body of the city and the other names that exports use for it."""

    code: str
    name: str
    kind: str
    level: str
    parent_code: str
    region_code: str
    aliases: tuple[str, ...]

    def name_on(self, day: date, valid_from: dict[str, date]) -> str:
        """The short name in use on a day: the newest alias valid by then, of several the shortest."""
        names = [name for name in self.aliases if valid_from[name] <= day]
        return max(names, key=lambda name: (valid_from[name], -len(name)), default=self.name)


@dataclass(frozen=True)
class City:
    """The bodies by code, and the day from which each alias is valid."""

    bodies: dict[str, Body]
    valid_from: dict[str, date]

    def of_kind(self, *kinds: str) -> list[Body]:
        return [body for body in self.bodies.values() if body.kind in kinds]

    def named(self, name: str) -> Body:
        """The body with this official name, written without the city; StopIteration when there is none."""
        return next(body for body in self.bodies.values() if body.name in (name, NAME + name))


def load(expectations: Path | None = None) -> City:
    """Read ``core/body.csv`` and ``core/body_alias.csv``, the one list of bodies."""
    core = (expectations or settings.load().expectations) / "core"
    aliases: dict[str, list[str]] = {}
    valid_from: dict[str, date] = {}
    for row in _records(core / "body_alias.csv"):
        aliases.setdefault(row["code"], []).append(row["name"])
        valid_from[row["name"]] = date.fromisoformat(row["valid_from"])
    bodies = [Body(**row, aliases=tuple(aliases.get(row["code"], ()))) for row in _records(core / "body.csv")]
    return City({body.code: body for body in bodies}, valid_from)


def _records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def organisation_code(root: str) -> str:
    """``root`` (8 characters) with its check character of GB 11714."""
    total = sum(w * _ORGANISATION_ALPHABET.index(c) for w, c in zip(_ORGANISATION_WEIGHTS, root, strict=True))
    return root + "0123456789X0"[11 - total % 11]


def credit_code(registrar_and_kind: str, region_code: str, root: str) -> str:
    """The unified social credit code of GB 32100 for an organisation code root of 8 characters."""
    body = registrar_and_kind + region_code + organisation_code(root)
    total = sum(pow(3, place, 31) * _CREDIT_ALPHABET.index(c) for place, c in enumerate(body))
    return body + _CREDIT_ALPHABET[-total % 31]


def with_wrong_check(code: str) -> str:
    """The same code with another check character."""
    alphabet = _CREDIT_ALPHABET if code[-1] != "X" else "0123456789"
    return code[:-1] + alphabet[(alphabet.find(code[-1]) + 1) % 10]


def resident_id(born_on: date, serial: int) -> str:
    """A resident identity number of GB 11643 in the county that does not exist."""
    body = f"{REGION_CODE}{born_on:%Y%m%d}{serial:03d}"
    total = sum(w * int(c) for w, c in zip(_RESIDENT_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def person_name(rng: Random) -> str:
    """An invented name of two or three characters, now and then with a rare one."""
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2, 2))))


def mobile(serial: int) -> str:
    """A mobile number in a range that no operator holds."""
    return f"154{(serial * 7_368_787) % 100_000_000:08d}"


def day_between(rng: Random, first: date, last: date) -> date:
    """A day from ``first`` to ``last``, both included."""
    return first + timedelta(days=rng.randint(0, (last - first).days))
