"""Two persons seal: by accounts that the database server proved, on a real one; and every way that one person tried."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import catalogue
import psycopg2
import pytest
from click.testing import CliRunner
from psycopg2.extensions import connection as Connection

from halfyear import warehouse as warehouse_module
from halfyear.errors import InfrastructureFault, UsageError
from halfyear.indicators import computation
from halfyear.period import Period
from halfyear.publishing import vintage
from halfyear.publishing.proposal import Request
from halfyear.scheduling import airflow_record, publication_steps
from halfyear.settings import Settings
from halfyear.terminal import command

PERIOD = Period(2022, 1)
PERSONS = ("zhang", "li")


def halfyear(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.main, arguments, env={"COLUMNS": "1000"}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def owner(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A warehouse in which 2022-S1 was computed, and where nobody seals by names alone."""
    monkeypatch.delenv("HALFYEAR_DECLARED_NAMES")
    with closing(warehouse_module.connect(warehouse, "owner")) as connection:
        catalogue.fill(connection)
        computation.compute(connection, PERIOD)
        yield connection


def ask(connection: Connection, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values or None)
        found = cursor.fetchall() if cursor.description else []
    connection.commit()
    return found


def open_points(connection: Connection) -> list[str]:
    names = sorted({point.name for point in vintage.open_points(connection, PERIOD)})
    connection.rollback()
    return names


class Persons:
    """Two persons with roles and passwords of their own on the server, and who of them acts."""

    def __init__(self, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        self._url, self._patch = settings.warehouse or "", patch

    def url(self, name: str) -> str:
        return self._url.replace("postgres@", f"{name}:secret-{name}@")

    def become(self, name: str) -> None:
        self._patch.setenv("HALFYEAR_WAREHOUSE", self.url(name))


@pytest.fixture
def persons(warehouse: Settings, owner: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Persons]:
    """The server asks these roles for their passwords, as one that is reached over a network."""
    ((name,),) = ask(owner, "show hba_file")
    access = Path(name)
    before = access.read_text()
    access.write_text(f"local all {','.join((*PERSONS, 'halfyear_loader'))} scram-sha-256\n{before}")
    for each in PERSONS:
        ask(owner, f"create role {each} login password 'secret-{each}'")
        ask(owner, f"grant halfyear_loader, halfyear_publisher to {each}")
    ask(owner, "alter role halfyear_loader password 'secret-halfyear_loader'")
    ask(owner, "select pg_reload_conf()")
    # A session that is opened before the server has read the file is let in by the old one.
    for _ in range(100):
        with closing(psycopg2.connect((warehouse.warehouse or "").replace("postgres@", "zhang:secret-zhang@"))) as test:
            if ask(test, "select system_user") == [("scram-sha-256:zhang",)]:
                break
    yield Persons(warehouse, monkeypatch)
    access.write_text(before)
    owner.rollback()
    ask(owner, "select pg_reload_conf()")
    for each in PERSONS:
        ask(owner, f"revoke halfyear_loader, halfyear_publisher from {each}")
        ask(owner, f"drop role {each}")


def test_two_roles_of_the_database_seal(owner: Connection, persons: Persons, tmp_path: Path) -> None:
    named = [word for name in open_points(owner) for word in ("--except", name)]
    persons.become("zhang")
    assert "nothing waits" in halfyear("approve", "2022-S1", code=2)
    shown = halfyear("publish", "2022-S1", *named, "--prepared-by", "张三")
    digest = shown.rpartition("--digest ")[2].split()[0]
    assert "nothing is sealed until somebody else" in shown
    # One person: by the same account, whatever the names; by one command; by a name that is the same to a reader.
    for name in ("李四", "张三", "张 三", "ｚｈａｎｇ"):
        refused = halfyear("approve", "2022-S1", "--digest", digest, "--approved-by", name, code=2)
        assert "nothing proves two persons" in refused or "preparer cannot approve" in refused
    assert "one command" in halfyear("publish", "2022-S1", *named, "--approved-by", "李四", code=2)
    persons.become("li")
    assert "preparer cannot approve" in halfyear(
        "approve", "2022-S1", "--digest", digest, "--approved-by", "张\u200b三", code=2
    )
    listed = halfyear("approve", "2022-S1")
    assert digest in listed and "scram-sha-256:zhang" in listed and "张三" in listed
    assert "no proposal of this digest" in halfyear("approve", "2022-S1", "--digest", "0" * 64, code=2)
    assert ask(owner, "select count(*) from indicators.vintage") == [(0,)]
    sealed = halfyear("approve", "2022-S1", "--digest", digest, "--approved-by", "李四")
    assert "数据库两个角色" in sealed
    assert ask(
        owner, "select prepared_by, approved_by, proof, preparer_account, approver_account, evidence from mart.vintage"
    ) == [("张三", "李四", "database_role", "scram-sha-256:zhang", "scram-sha-256:li", "")]
    # A task that runs twice, and a second approval, find the seal.
    assert sealed == halfyear("approve", "2022-S1", "--digest", digest, "--approved-by", "李四")
    assert "two roles of the database: 版次 vintages 1" in halfyear("verify")
    halfyear("report", "2022-S1", "--draft", "-o", str(tmp_path / "report.md"))
    assert "数据库两个角色：编制 scram-sha-256:zhang，批准 scram-sha-256:li" in (tmp_path / "report.md").read_text(
        "utf-8"
    )


def test_what_the_server_refuses_one_person(owner: Connection, persons: Persons) -> None:
    """With SQL of their own: the loader writes no vintage, and a publisher none without a proposal by somebody else."""
    copied = (
        "insert into indicators.vintage (period, vintage, sequence, sealed_at, prepared_by, approved_by, approved_at, "
        "code_version, note, exceptions, declarations, proposal_digest, hash, proof, preparer_account, approver_account, "
        "evidence) select period, vintage, 1, now(), prepared_by, %s, now(), '', '', '[]', '', digest, 'x', %s, account, %s, "
        "reference from indicators.proposal"
    )
    persons.become("zhang")
    proposal = publication_steps.propose(Request(PERIOD, "张三", exceptions=tuple(open_points(owner))))
    assert proposal is not None
    with closing(psycopg2.connect(persons.url("halfyear_loader"))) as loader, loader.cursor() as cursor:
        for statement in (copied.replace("%s", "''"), "set role halfyear_publisher"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
            loader.rollback()
    with closing(psycopg2.connect(persons.url("zhang"))) as own, own.cursor() as cursor:
        claims = [
            ("李四", "database_role", "scram-sha-256:zhang"),
            ("李四", "database_role", "scram-sha-256:li"),
            ("李四", "declared", "scram-sha-256:zhang"),
            ("李四", "os_account", "peer:li"),
            ("李四", "airflow", "li"),
            ("李四", None, None),
        ]
        for claim in claims:
            with pytest.raises(psycopg2.IntegrityError):
                cursor.execute(copied, claim)
                own.commit()
            own.rollback()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(PROPOSAL, ("airflow",))
        own.rollback()
        # What a session says of its account and of the time is not what is kept.
        cursor.execute(PROPOSAL, ("terminal",))
        cursor.execute(
            "select account, login, expires_at < now() + interval '16 days' from indicators.proposal where prepared_by = 'x'"
        )
        assert cursor.fetchall() == [("scram-sha-256:zhang", "zhang", True)]
        own.commit()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("update indicators.proposal set account = 'scram-sha-256:li'")
        own.rollback()
    # Nor does a proposal hold for ever.
    ask(
        owner,
        "alter table indicators.proposal disable trigger refuse_change; "
        "update indicators.proposal set expires_at = now() - interval '1 second'; "
        "alter table indicators.proposal enable always trigger refuse_change",
    )
    persons.become("li")
    with pytest.raises(UsageError, match="no proposal of this digest"):
        publication_steps.approve(PERIOD, proposal.digest)
    with closing(psycopg2.connect(persons.url("li"))) as other, other.cursor() as cursor:
        with pytest.raises(psycopg2.IntegrityError, match="still holds"):
            cursor.execute(f"{copied} where prepared_by = '张三'", ("李四", "database_role", "scram-sha-256:li"))
            other.commit()
        other.rollback()
    assert ask(owner, "select count(*) from indicators.vintage") == [(0,)]


PROPOSAL = (
    "insert into indicators.proposal (period, vintage, digest, way, prepared_by, account, login, reference, request, "
    "title, content, prepared_at, expires_at) values ('2022-S1', 1, repeat('0', 64), %s, 'x', 'scram-sha-256:li', 'li', "
    "'', '{}', '', '', now(), 'infinity')"
)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root acts as another account")
def test_two_accounts_of_the_system_seal(owner: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whose interpreter lies in the home of root cannot read it as somebody else.
    monkeypatch.setattr(publication_steps, "code_version", lambda: "test")
    ((folder,),) = ask(owner, "show data_directory")
    other = pwd.getpwuid(Path(folder).stat().st_uid)
    proposal = publication_steps.propose(Request(PERIOD, "root", exceptions=tuple(open_points(owner))))
    assert proposal is not None
    with pytest.raises(UsageError, match="nothing proves two persons"):
        publication_steps.approve(PERIOD, proposal.digest, "李四")
    child = os.fork()
    if child == 0:
        os.environ["HALFYEAR_HOME"] = "/nonexistent"  # that of the test is closed to others
        os.setgid(other.pw_gid)
        os.setuid(other.pw_uid)
        try:
            publication_steps.approve(PERIOD, proposal.digest)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert ask(
        owner, "select prepared_by, approved_by, proof, preparer_account, approver_account from mart.vintage"
    ) == [("root", other.pw_name, "os_account", "peer:root", f"peer:{other.pw_name}")]
    assert "two accounts of the operating system: 版次 vintages 1" in halfyear("verify")


def test_names_alone_are_printed_as_unproved_and_a_changed_proof_is_a_fault(
    owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFYEAR_DECLARED_NAMES", "allow")
    request = Request(PERIOD, "甲", exceptions=tuple(open_points(owner)))
    earlier = publication_steps.propose(request)
    ask(owner, "update core.data_catalogue set publication = '已发布'")
    computation.compute(owner, PERIOD, everything=True)
    proposal = publication_steps.propose(request)
    assert earlier is not None and proposal is not None
    with pytest.raises(UsageError, match="moved since the proposal"):
        publication_steps.approve(PERIOD, earlier.digest, "乙")
    publication_steps.approve(PERIOD, proposal.digest, "乙")
    assert "未证明，姓名为自报 not proved, two names that were given: 版次 vintages 1: 2022-S1 v1" in halfyear("verify")
    ask(
        owner,
        "alter table indicators.vintage disable trigger refuse_change; "
        "update indicators.vintage set proof = 'os_account'; "
        "alter table indicators.vintage enable always trigger refuse_change",
    )
    found = halfyear("verify", code=1)
    assert "2022-S1 v1 persons: 账号不能证明 os_account" in found and "2022-S1 v1 hash" in found
    ask(owner, "drop trigger require_two_persons on indicators.vintage")
    assert "require_two_persons" in halfyear("verify", code=1)


class Record:
    """What Airflow would say of a run, instead of its REST API."""

    def __init__(self, patch: pytest.MonkeyPatch, triggered_by: str) -> None:
        self.run = airflow_record.Run("publish_period/manual", triggered_by)
        self.answer = airflow_record.Answer("", "", (), None, None)
        patch.setattr(airflow_record, "run", lambda settings, dag_id, run_id: self.run)
        patch.setattr(airflow_record, "answer", lambda settings, dag_id, run_id, task_id: self.answer)

    def say(self, title: str, text: str, user: str | None, *chosen: str) -> None:
        at = None if user is None else vintage.datetime.now().astimezone()
        self.answer = airflow_record.Answer(title, text, chosen, user, at)


def test_a_run_of_airflow_is_sealed_by_its_record_alone(
    owner: Connection, warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(monkeypatch, "admin")
    asked = {"period": "2022-S1", "exceptions": open_points(owner)}
    shown = publication_steps.prepare_run(asked, False, "publish_period", "manual")
    assert shown is not None and set(shown) == {"title", "text"}
    title, text = shown["title"], shown["text"]
    for answer in (
        (title, text, None),
        (title, text, "approver", "Reject"),
        (title, text.replace("全市", "某市"), "approver", "Approve"),
        (title, text, "admin", "Approve"),
        (title, text, "ＡＤＭＩＮ", "Approve"),
    ):
        record.say(*answer)
        with pytest.raises(UsageError):
            publication_steps.seal_run("publish_period", "manual")
    # The proposal of one run is not sealed by the answer in another, nor as the work of somebody else.
    record.say(title, text, "approver", "Approve")
    for run in (airflow_record.Run("publish_period/other", "admin"), airflow_record.Run("publish_period/manual", "x")):
        before, record.run = record.run, run
        with pytest.raises(UsageError, match="not what was proposed"):
            publication_steps.seal_run("publish_period", "manual")
        record.run = before
    assert ask(owner, "select count(*) from indicators.vintage") == [(0,)]
    own_hash = publication_steps.seal_run("publish_period", "manual")
    assert own_hash == publication_steps.seal_run("publish_period", "manual")
    assert ask(owner, "select prepared_by, approved_by, proof, approver_account, evidence from mart.vintage") == [
        ("admin", "approver", "airflow", "approver", "publish_period/manual")
    ]
    assert "two accounts of Airflow, by its own record of run and answer: 版次 vintages 1" in halfyear("verify")


def test_without_airflow_nothing_is_read(warehouse: Settings) -> None:
    with pytest.raises(InfrastructureFault, match="HALFYEAR_AIRFLOW"):
        airflow_record.run(warehouse, "publish_period", "manual")
