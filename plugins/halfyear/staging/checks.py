"""Checks: what a contract expects of the rows, asked by Great Expectations of the staging table in PostgreSQL.

The rules are those that follow from the properties (required, enumeration, minimum, dates, check digit, key)
and those that the contract writes itself; both are in Great Expectations' own form. They are all asked for a
yes or no first; those that failed are asked again for their count and for the query of the failing rows. That
query is what fills the quarantine, in SQL: all rows, no rule written twice, no value in this process.

Light to import: Great Expectations is imported by ``run``.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from halfyear import late_import
from halfyear.contract import REGION_CODE_FORM, Contract, Dimension, Property, Rule, Severity, Title
from halfyear.errors import ContractError, HalfyearError, InfrastructureFault
from halfyear.settings import LOCAL_ZONE, LOCAL_ZONE_NAME

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

#: No export speaks of an event before this day.
EARLIEST_DAY: Final = date(1990, 1, 1)
#: The day after which nothing can have happened, as a parameter of the suite; the timestamp is its exclusive end.
SNAPSHOT_DATE: Final = "snapshot_date"
SNAPSHOT_END: Final = "snapshot_end"
#: Columns of every staging table, besides the contract's.
STAGING_COLUMNS: Final = {"row_number": "bigint", "record_key": "text", "snapshot_date": "date"}

#: The rule that no record key is there twice.
KEY_IS_UNIQUE: Final = "record_key_unique"
UNEXPECTED_ROWS: Final = "unexpected_rows_expectation"
_YES_OR_NO: Final[dict[str, Any]] = {"result_format": "BOOLEAN_ONLY"}
#: Without values: they may be personal, and the rows are taken in SQL.
_COUNT_AND_QUERY: Final[dict[str, Any]] = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "unexpected_index_column_names": ["row_number"],
    "return_unexpected_index_query": True,
}
_MASKED_LENGTH: Final = 60
#: A staging table is nobody else's; waiting longer than this for it is a fault, not patience.
_LOCK_TIMEOUT: Final = "60s"
_REMEDY: Final = Title(
    zh="在源系统更正后重新导出",
    en="correct it in the source system and export again",
)


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


# -- the rules ------------------------------------------------------------------------------------------


def suite(contract: Contract) -> list[Rule]:
    """Every rule of a source: those that follow from its properties, then its own.

    Raises ContractError when one of its own has the name of a rule that follows.
    """
    rules = [rule for column in contract.columns for rule in _obvious(column)]
    rules.append(_key_is_unique(contract))
    taken = {rule.rule for rule in rules} & {rule.rule for rule in contract.quality}
    if taken:
        zh, en = "规则名已由字段推导占用", "this name belongs to a rule that follows from a property"
        raise _fault(contract.source, min(taken), zh, en)
    return [*rules, *contract.quality]


def column_of(rule: Rule) -> str | None:
    """The column that a finding of this rule points at."""
    kwargs = rule.kwargs
    listed = kwargs.get("column_list") or kwargs.get("column_set") or [None]
    return rule.column or kwargs.get("column") or kwargs.get("column_A") or listed[0]


def _obvious(column: Property) -> Iterator[Rule]:
    """The rules that follow from one property (GB/T 36344 names the dimensions)."""
    zh, en = column.business_name, column.name
    make = functools.partial(_derived, column)
    if column.is_required:
        yield make(
            "required",
            "expect_column_values_to_not_be_null",
            "completeness",
            Title(zh=f"{zh}必填", en=f"{en} is required"),
            Title(zh=f"在源系统补填{zh}后重新导出", en=f"fill in {en} in the source system and export again"),
        )
    if column.is_personal:
        # What is stored is a token: nothing more can be asked of it.
        return
    if column.values is not None:
        labels = list(column.values)
        yield make(
            "enumeration",
            "expect_column_values_to_be_in_set",
            "normative",
            Title(zh=f"{zh}只能取：{'、'.join(labels)}", en=f"{en} is one of: {', '.join(labels)}"),
            Title(
                zh=f"在源系统改为约定取值；新的取值须先写入合同的{zh}",
                en=f"use an agreed value in the source system; a new one is first added to {en} in the contract",
            ),
            value_set=labels,
        )
    if column.minimum is not None:
        least = f"{column.minimum:g}"
        yield make(
            "minimum",
            "expect_column_values_to_be_between",
            "accuracy",
            Title(zh=f"{zh}不小于{least}", en=f"{en} is at least {least}"),
            min_value=column.minimum,
        )
    if column.logical_type in ("date", "timestamp"):
        yield _within_range(column, make)
    if column.format == "unified_social_credit_code":
        yield make(
            "check_digit",
            "expect_column_values_to_be_unified_social_credit_code",
            "normative",
            Title(
                zh=f"{zh}须为校验码正确的统一社会信用代码（GB 32100）",
                en=f"{en} is a unified social credit code with right check characters (GB 32100)",
            ),
            Title(
                zh=f"按登记证书核对{zh}后重新导出",
                en=f"compare {en} with the certificate of registration and export again",
            ),
        )
    if column.format == "region_code":
        yield make(
            "form",
            "expect_column_values_to_match_regex",
            "normative",
            Title(zh=f"{zh}为6、9或12位数字", en=f"{en} has 6, 9 or 12 digits"),
            regex=REGION_CODE_FORM,
        )
        yield make(
            "known",
            "expect_column_values_to_be_known_region_codes",
            "normative",
            Title(
                zh=f"{zh}须是本市的区划，或属于国家标准（GB/T 2260，1981年以来任一版）中的县级区划",
                en=f"{en} is a region of the city, or lies in a county of GB/T 2260 (any edition since 1981)",
            ),
            Title(
                zh=f"核对{zh}；本市新设的镇、村须先写入 expectations/core/region.csv",
                en=f"compare {en} with the list; a new town or village is first added to expectations/core/region.csv",
            ),
            severity="info",
        )


def _within_range(column: Property, make: Callable[..., Rule]) -> Rule:
    zh, en = column.business_name, column.name
    first = EARLIEST_DAY.isoformat()
    limits: dict[str, Any] = {"min_value": first}
    end: dict[str, Any] = {"max_value": {"$PARAMETER": SNAPSHOT_DATE}}
    if column.logical_type == "timestamp":
        limits = {"min_value": _midnight(EARLIEST_DAY)}
        end = {"max_value": {"$PARAMETER": SNAPSHOT_END}, "strict_max": True}
    if column.allow_future:
        title = Title(zh=f"{zh}不早于{first}", en=f"{en} is not before {first}")
    else:
        limits |= end
        title = Title(
            zh=f"{zh}不早于{first}且不晚于快照日期",
            en=f"{en} is not before {first} and not after the snapshot date",
        )
    return make("within_range", "expect_column_values_to_be_between", "accuracy", title, **limits)


def _derived(
    column: Property,
    suffix: str,
    expectation_type: str,
    dimension: Dimension,
    description: Title,
    remedy: Title = _REMEDY,
    severity: Severity = "warning",
    **kwargs: Any,
) -> Rule:
    return Rule(
        rule=f"{column.name}_{suffix}",
        type=expectation_type,
        kwargs={"column": column.column, **kwargs},
        severity=severity,
        dimension=dimension,
        description=description,
        remedy=remedy,
    )


def _key_is_unique(contract: Contract) -> Rule:
    zh = "、".join(p.business_name for p in contract.key)
    en = ", ".join(p.name for p in contract.key)
    return Rule(
        rule=KEY_IS_UNIQUE,
        type="expect_column_values_to_be_unique",
        kwargs={"column": "record_key"},
        column=", ".join(p.column for p in contract.key),
        dimension="accuracy",
        description=Title(
            zh=f"{zh}在同一文件中不重复；相同而内容不同的记录全部隔离",
            en=f"{en} occurs once in a file; records that share it and differ in content are all quarantined",
        ),
        remedy=Title(
            zh="在源系统保留其中正确的一条后重新导出",
            en="keep the right one in the source system and export again",
        ),
    )


# -- asking Great Expectations --------------------------------------------------------------------------


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
    remedy = rule.remedy or _REMEDY
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
    return {SNAPSHOT_DATE: snapshot_date.isoformat(), SNAPSHOT_END: _midnight(snapshot_date + timedelta(days=1))}


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
        raise _fault(name, rule.rule, "不是合法的 GX 规则", f"not a rule of Great Expectations: {text}") from None


def _exception(answer: ExpectationValidationResult) -> str | None:
    """What was raised while a rule was evaluated; Great Expectations reports it instead of raising."""
    info = answer.exception_info or {}
    found = [info] if "raised_exception" in info else list(info.values())
    return next((str(each["exception_message"]) for each in found if each["raised_exception"]), None)


def _explained(name: str, rule: Rule, message: str) -> HalfyearError:
    """The error for a rule that raised, without the values that PostgreSQL quotes."""
    match = re.search(r"\(psycopg2\.(?:errors\.)?(\w+)\)\s*([^\n]*)", message)
    if match is None:
        return _fault(name, rule.rule, "规则无法执行", f"the rule cannot be evaluated: {message.splitlines()[0][:300]}")
    kind: type[Exception] = getattr(psycopg2.errors, match[1], getattr(psycopg2, match[1], psycopg2.Error))
    if issubclass(kind, (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.InternalError)):
        return InfrastructureFault(f"检查时数据库出错 / the database failed during the checks: {match[1]}")
    # Data errors quote the value that they stumble over.
    said = match[1] if issubclass(kind, psycopg2.DataError) else match[2]
    return _fault(name, rule.rule, "规则的 SQL 无法执行", f"PostgreSQL cannot evaluate the rule: {said}")


def _fault(name: str, rule: str, zh: str, en: str) -> ContractError:
    return ContractError(f"{name}.yaml: {rule}: {zh} / {en}")


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


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), LOCAL_ZONE).isoformat()


def _count(connection: Connection, schema: str, table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table)))
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


# -- quarantine -----------------------------------------------------------------------------------------


def quarantine(
    connection: Connection,
    schema: str,
    table: str,
    contract: Contract,
    results: Sequence[CheckResult],
    load_id: int,
) -> int:
    """Put every row that breaks a warning rule into quarantine, once per rule; returns how many rows these are.

    Works in the caller's transaction and leaves the staging table as it is (see ``delete_rejected``). Raises
    ContractError when a rule's query does not name the rows that the rule counted.
    """
    failed = [r for r in results if not r.success and r.severity == "warning" and r.failing_rows_query]
    if not failed:
        return 0
    with connection.cursor() as cursor:
        for result in failed:
            try:
                # Without parameters psycopg2 leaves the % of a LIKE or regular expression alone.
                cursor.execute(_insertion(schema, table, contract, result, load_id))
            except psycopg2.ProgrammingError as error:
                # So it is for expect_compound_columns_to_be_unique in Great Expectations 1.24.
                raise _fault(
                    contract.source,
                    result.rule,
                    "无法取得违规行，请改写为 unexpected_rows_expectation",
                    f"the query of its failing rows is not valid ({error.diag.message_primary}); "
                    "write the rule as unexpected_rows_expectation",
                ) from None
            if cursor.rowcount != result.unexpected_count:
                raise _fault(
                    contract.source,
                    result.rule,
                    f"规则计数 {result.unexpected_count} 行，其查询给出 {cursor.rowcount} 行",
                    f"the rule counted {result.unexpected_count} rows and its query names {cursor.rowcount}; "
                    "the query must return each failing row once, with its row_number",
                )
        cursor.execute(
            "select count(distinct row_number) from quarantine.rejected_row where load_id = %s and rule = any(%s)",
            (load_id, [result.rule for result in failed]),
        )
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def delete_rejected(connection: Connection, schema: str, table: str, load_id: int) -> int:
    """Delete the quarantined rows of this load from its staging table; returns how many there were."""
    statement = sql.SQL(
        "delete from {table} as staged where exists (select from quarantine.rejected_row as rejected"
        " where rejected.load_id = {load_id} and rejected.row_number = staged.row_number)"
    ).format(table=sql.Identifier(schema, table), load_id=sql.Literal(load_id))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def _insertion(schema: str, table: str, contract: Contract, result: CheckResult, load_id: int) -> sql.Composed:
    # The line break ends a comment at the end of the rule's query.
    return sql.SQL(
        "insert into quarantine.rejected_row"
        " (load_id, row_number, record_key, column_name, rule, reason_zh, reason_en, masked_value)"
        " select {load_id}, staged.row_number, staged.record_key, {column}, {rule}, {zh}, {en}, {value}"
        " from {table} as staged"
        " where staged.row_number in (select failing.row_number from ({query}\n) as failing)"
    ).format(
        load_id=sql.Literal(load_id),
        column=sql.Literal(result.column),
        rule=sql.Literal(result.rule),
        zh=sql.Literal(result.description_zh),
        en=sql.Literal(result.description_en),
        value=_masked(contract, result.column),
        table=sql.Identifier(schema, table),
        query=sql.SQL(result.failing_rows_query or ""),
    )


def _masked(contract: Contract, column: str | None) -> sql.Composable:
    """The cell as quarantine may show it: cut to a length, or hidden where it tells of a person.

    Whatever the column, a value with the shape of an identity or mobile number is hidden; 18 digits are shown as a
    unified social credit code where the column holds these and the source tells of no person.
    """
    # The reader's package needs Arrow.
    from halfyear.reading.fault import CODE_SHAPE, MASK, PERSONAL_SHAPE

    if column is None:
        return sql.SQL("null")
    named = [p for p in contract.columns if p.column in column.split(", ")]
    cell: sql.Composable = sql.Identifier("staged", named[0].column if len(named) == 1 else "record_key")
    if any(p.is_personal or p.identifies_person for p in named):
        return sql.SQL("case when {} is not null then {} end").format(cell, sql.Literal(MASK))
    if len(named) == 1 and named[0].postgres_type == "numeric":
        cell = sql.SQL("trim_scale({})").format(cell)
    shape = sql.SQL("normalize({}::text, nfkc) ~ {}").format(cell, sql.Literal(PERSONAL_SHAPE))
    has_persons = any(p.is_personal or p.identifies_person for p in contract.properties)
    if len(named) == 1 and named[0].format == "unified_social_credit_code" and not has_persons:
        shape = sql.SQL("{} and {}::text !~ {}").format(shape, cell, sql.Literal(CODE_SHAPE))
    return sql.SQL("case when {} then {} else left({}::text, {}) end").format(
        shape, sql.Literal(MASK), cell, sql.Literal(_MASKED_LENGTH)
    )
