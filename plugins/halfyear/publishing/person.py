"""Persons: when two names are one, which account acts, and how it is proved that two persons sealed.

A name is what is printed; whoever types it chooses it. An account is what a server says who logged in: Airflow, of the person who
triggered a run or answered a question; PostgreSQL (``system_user``), of whoever opened a session.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection

from halfyear.contract import Title

#: How it is proved that the preparer of a vintage is not its approver; ``declared`` is the absence of a proof.
PROOFS = {
    "airflow": Title(zh="Airflow 两个账号", en="two accounts of Airflow, by its own record of run and answer"),
    "os_account": Title(zh="操作系统两个账号", en="two accounts of the operating system"),
    "database_role": Title(zh="数据库两个角色", en="two roles of the database"),
    "declared": Title(zh="未证明，姓名为自报", en="not proved, two names that were given"),
}
#: A vintage that was sealed before proofs were kept.
NOT_KEPT = Title(zh="当时未记录", en="not recorded then")
#: What PostgreSQL says of an account of the operating system.
_SYSTEM = "peer"
#: Not shown by any font, yet of categories that hold shown characters too: fillers, joiners and variation selectors.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)  # fmt: skip


def key(name: str) -> str:
    """A name as two of them are compared: one Unicode form, nothing invisible and no blanks, no case."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(each for each in text if unicodedata.category(each)[0] not in "CZ" and each not in _INVISIBLE)


@dataclass(frozen=True)
class Approval:
    """Who approved: the name that is printed, the account, and of Airflow the instant of the answer."""

    approved_by: str
    account: str
    approved_at: datetime | None = None


def account(connection: Connection) -> str:
    """Who opened the session, as ``method:identity``; empty where the server let it in without asking."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(system_user, '')")
        (found,) = cursor.fetchone() or ("",)
    return str(found)


def name(account: str) -> str:
    """The identity of an account, without the method."""
    return account.partition(":")[2] or account


def proof(way: str, preparer: str, approver: str) -> str:
    """How it is proved that two accounts are two persons: one of `PROOFS`.

    Both have to be proved in one way: nobody says which role of the database an account of the system owns.
    """
    if way == "airflow":
        return way
    methods = [each.partition(":")[0] for each in (preparer, approver)]
    if not all(methods) or key(name(preparer)) == key(name(approver)):
        return "declared"
    of_system = [method == _SYSTEM for method in methods]
    return "os_account" if all(of_system) else "declared" if any(of_system) else "database_role"
