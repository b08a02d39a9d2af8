"""Validation: Great Expectations asked of the staging table in PostgreSQL, every rule of the contract.

The rules are all asked for a yes or no first; those that failed are asked again for their count and for the query of
the failing rows. That query is what fills the quarantine, in SQL: all rows, no rule written twice, no value in this
process.

Great Expectations is imported by ``run``, not with this module.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from halfyear import late_import
from halfyear.contract import Contract, Rule
from halfyear.errors import HalfyearError, InfrastructureFault
from halfyear.settings import LOCAL_ZONE_NAME
from halfyear.staging.rule import (
    KEY_IS_UNIQUE,
    REMEDY,
    SNAPSHOT_DATE,
    SNAPSHOT_END,
    column_of,
    fault,
    midnight,
    suite,
)

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

UNEXPECTED_ROWS: Final = "unexpected_rows_expectation"
_YES_OR_NO: Final[dict[str, Any]] = {"result_format": "BOOLEAN_ONLY"}
#: Without values: they may be personal, and the rows are taken in SQL.
_COUNT_AND_QUERY: Final[dict[str, Any]] = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "unexpected_index_column_names": ["row_number"],
    "return_unexpected_index_query": True,
}
#: A staging table is nobody else's; waiting longer than this for it is a fault, not patience.
_LOCK_TIMEOUT: Final = "60s"


@dataclass(frozen=True)
class CheckResult:
    """The answer of one rule for one load.

    ``column`` is a column of the staging table (several, joined by a comma, for a key of several columns), or
    None for a rule about the table. ``element_count`` is the rows of the table, ``unexpected_count`` the rows
    that break the rule. ``failing_rows_query`` returns their ``row_number``; it is None where the rule holds
    and where it speaks of no single row.
    """

    rule: str
    expectation_type: str
    column: str | None
    severity: str
    dimension: str
    success: bool
    element_count: int
    unexpected_count: int
    description_zh: str
    description_en: str
    remedy_zh: str
    remedy_en: str
    failing_rows_query: str | None = field(default=None, repr=False)


def run(
    connection: Connection,
    sqlalchemy_url: str,
    schema: str,
    table: str,
    contract: Contract,
    snapshot_date: date,
    *,
    keys_ascend: bool = False,
    rows: int | None = None,
) -> list[CheckResult]:
    """Ask every rule of the contract of one staging table; results in the order of ``suite``.

    ``rows``: how many the table has, where that is known already; ``connection`` is not used then. ``keys_ascend``: each
    record key is greater than the one before it, so that none can be there twice and the most costly rule need not be
    asked. The table must be visible to other connections, that is committed: Great Expectations opens its own to
    ``sqlalchemy_url``, which hold no transaction and are closed when this returns. Raises ContractError for a
    rule that cannot be evaluated, InfrastructureFault when the database cannot be reached or the table is locked.
    """
    rules = suite(contract)
    unique = [rule for rule in rules if rule.rule == KEY_IS_UNIQUE and keys_ascend]
    asked = [rule for rule in rules if rule not in unique]
    given = _parameters(snapshot_date)
    results = ask(connection, sqlalchemy_url, schema, table, contract.source, asked, given, rows)
    for rule in unique:
        results.insert(rules.index(rule), _result(rule, results[0].element_count, None, schema, table))
    return results


def ask(
    connection: Connection,
    sqlalchemy_url: str,
    schema: str,
    table: str,
    name: str,
    rules: Sequence[Rule],
    parameters: dict[str, Any] | None = None,
    rows: int | None = None,
) -> list[CheckResult]:
    """Ask rules of any table with a ``row_number``; errors say that they are of the file ``<name>.yaml``.

    Results in the order of the rules. The table must be committed; raises as ``run`` does.
    """
    given = parameters or {}
    count = _count(connection, schema, table) if rows is None else rows
    with _batch(sqlalchemy_url, schema, table) as batch:
        answers = _ask(batch, name, rules, given, _YES_OR_NO)
        failed = [rule for rule in rules if not answers[rule.rule].success]
        counted = _ask(batch, name, failed, given, _COUNT_AND_QUERY)
    return [_result(rule, count, counted.get(rule.rule), schema, table) for rule in rules]


def failing_rows_sql(
    sqlalchemy_url: str, schema: str, table: str, contract: Contract, snapshot_date: date
) -> dict[str, str | None]:
    """The query of the failing rows of every rule, by its name, whether the rule holds or not.

    None for a rule that speaks of no single row. Raises as ``run`` does.
    """
    rules = suite(contract)
    with _batch(sqlalchemy_url, schema, table) as batch:
        answers = _ask(batch, contract.source, rules, _parameters(snapshot_date), _COUNT_AND_QUERY)
    return {rule.rule: _failing_rows_query(rule, answers[rule.rule], schema, table) for rule in rules}


def _result(rule: Rule, rows: int, answer: ExpectationValidationResult | None, schema: str, table: str) -> CheckResult:
    """``answer`` is that of the second question, None for a rule that holds."""
    unexpected_count, query = 0, None
    if answer is not None:
        # Rules about a table have no count of rows: one finding.
        count = "observed_value" if rule.type == UNEXPECTED_ROWS else "unexpected_count"
        unexpected_count = int(answer.result.get(count) or 1)
        query = _failing_rows_query(rule, answer, schema, table)
    remedy = rule.remedy or REMEDY
    return CheckResult(
        rule=rule.rule,
        expectation_type=rule.type,
        column=column_of(rule),
        severity=rule.severity,
        dimension=rule.dimension,
        success=answer is None,
        element_count=rows,
        unexpected_count=unexpected_count,
        description_zh=rule.description.zh,
        description_en=rule.description.en,
        remedy_zh=remedy.zh,
        remedy_en=remedy.en,
        failing_rows_query=query,
    )


def _failing_rows_query(rule: Rule, answer: ExpectationValidationResult, schema: str, table: str) -> str | None:
    if rule.type == UNEXPECTED_ROWS:
        query = str(rule.kwargs["unexpected_rows_query"]).format(batch=f'"{schema}"."{table}"')
    else:
        query = answer.result.get("unexpected_index_query") or ""
    return query.rstrip("; \n") or None


def _parameters(snapshot_date: date) -> dict[str, Any]:
    return {SNAPSHOT_DATE: snapshot_date.isoformat(), SNAPSHOT_END: midnight(snapshot_date + timedelta(days=1))}


def _ask(
    batch: Batch,
    name: str,
    rules: Sequence[Rule],
    parameters: dict[str, Any],
    result_format: dict[str, Any],
) -> dict[str, ExpectationValidationResult]:
    """Validate the rules together, in as few scans as Great Expectations needs; answers by rule name."""
    if not rules:
        return {}
    answers = _validate(batch, name, rules, parameters, result_format)
    raised = [rule for rule in rules if _exception(answers[rule.rule])]
    for rule in raised:
        # Rules are computed in bundles and fail together: asked alone, only the culprit does.
        alone = _validate(batch, name, [rule], parameters, result_format)[rule.rule]
        message = _exception(alone)
        if message:
            raise _explained(name, rule, message)
        answers[rule.rule] = alone
    return answers


def _validate(
    batch: Batch,
    name: str,
    rules: Sequence[Rule],
    parameters: dict[str, Any],
    result_format: dict[str, Any],
) -> dict[str, ExpectationValidationResult]:
    from great_expectations import ExpectationSuite

    expectations = ExpectationSuite(name=name, expectations=[expectation(name, rule) for rule in rules])
    validated = batch.validate(expectations, result_format=result_format, expectation_parameters=parameters)
    answers = {_name(answer): answer for answer in validated.results}
    missing = [rule.rule for rule in rules if rule.rule not in answers]
    if missing:
        raise AssertionError(f"{name}: Great Expectations did not answer {', '.join(missing)}")
    return answers


def _name(answer: ExpectationValidationResult) -> str:
    config = answer.expectation_config
    assert config is not None
    return str((config.meta or {})["rule"])


def expectation(name: str, rule: Rule) -> Any:
    """The rule of the file ``<name>.yaml`` as an object of Great Expectations; ContractError when it is none."""
    import_great_expectations()
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        # get_expectation_impl is untyped.
        implementation: Any = get_expectation_impl(rule.type)
        return implementation(**rule.kwargs, severity=rule.severity, meta={"rule": rule.rule})
    except (GreatExpectationsError, TypeError, ValueError) as error:
        # Pydantic's validation errors are ValueErrors.
        text = " ".join(str(error).split())
        raise fault(name, rule.rule, "不是合法的 GX 规则", f"not a rule of Great Expectations: {text}") from None


def _exception(answer: ExpectationValidationResult) -> str | None:
    """What was raised while a rule was evaluated; Great Expectations reports it instead of raising."""
    info = answer.exception_info or {}
    found = [info] if "raised_exception" in info else list(info.values())
    return next((str(each["exception_message"]) for each in found if each["raised_exception"]), None)


def _explained(name: str, rule: Rule, message: str) -> HalfyearError:
    """The error for a rule that raised, without the values that PostgreSQL quotes."""
    match = re.search(r"\(psycopg2\.(?:errors\.)?(\w+)\)\s*([^\n]*)", message)
    if match is None:
        return fault(name, rule.rule, "规则无法执行", f"the rule cannot be evaluated: {message.splitlines()[0][:300]}")
    kind: type[Exception] = getattr(psycopg2.errors, match[1], getattr(psycopg2, match[1], psycopg2.Error))
    if issubclass(kind, (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.InternalError)):
        return InfrastructureFault(f"检查时数据库出错 / the database failed during the checks: {match[1]}")
    # Data errors quote the value that they stumble over.
    said = match[1] if issubclass(kind, psycopg2.DataError) else match[2]
    return fault(name, rule.rule, "规则的 SQL 无法执行", f"PostgreSQL cannot evaluate the rule: {said}")


@contextmanager
def _batch(url: str, schema: str, table: str) -> Iterator[Batch]:
    """The staging table as a batch of Great Expectations; afterwards no connection is left."""
    import_great_expectations()
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    name = f"{schema}.{table}"
    try:
        datasource = _datasource(_prepared(url))
    except TestConnectionError as error:
        raise _unreadable(name, error) from None
    try:
        with warnings.catch_warnings():
            # Great Expectations asks to put the schema into the connection string, which PostgreSQL's has no place for.
            warnings.simplefilter("ignore")
            asset = datasource.add_table_asset(name, table_name=table, schema_name=schema)
        yield asset.add_batch_definition_whole_table("load").get_batch()
    except TestConnectionError as error:
        raise _unreadable(name, error) from None
    finally:
        if name in {asset.name for asset in datasource.assets}:
            datasource.delete_asset(name)
        # Pools keep connections: one of the data source, one of its execution engine.
        datasource.get_engine().dispose()
        datasource.get_execution_engine().close()


def _unreadable(table: str, error: Exception) -> InfrastructureFault:
    return InfrastructureFault(
        f"Great Expectations 无法读取 {table} / cannot read {table}: {str(error).splitlines()[0]}"
    )


@functools.lru_cache(maxsize=4)
def _datasource(url: str) -> SQLDatasource:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # The declared signature of add_postgres leaves out `kwargs`.
    sources: Any = context.data_sources
    # Autocommit: a connection that waits between two metrics must not hold a transaction.
    engine = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}
    datasource: SQLDatasource = sources.add_postgres("warehouse", connection_string=url, kwargs=engine)
    return datasource


@functools.cache
def import_great_expectations() -> None:
    """Import Great Expectations and what Halfyear adds to it; version 1.24 has no telemetry left."""
    # Errors are raised by `_ask`; what Great Expectations logs of them quotes SQL and rows.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    late_import.postpone_statistics()
    import halfyear.staging.expectation  # noqa: F401


def _prepared(url: str) -> str:
    """The URL in SQLAlchemy's form (a socket needs a host), with the settings of our sessions."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options = query.get("options", "")
    if "timezone=" not in options:
        options += f" -c timezone={LOCAL_ZONE_NAME}"
    query["options"] = f"{options} -c lock_timeout={_LOCK_TIMEOUT}".strip()
    query.setdefault("fallback_application_name", "halfyear checks")
    # Great Expectations would take a $ for one of its variables.
    netloc = f"{user or 'postgres'}@{host or 'localhost'}".replace("$", "%24")
    return urlunsplit(("postgresql+psycopg2", netloc, parts.path, urlencode(query, quote_via=quote), ""))


def _count(connection: Connection, schema: str, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table)))
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])
