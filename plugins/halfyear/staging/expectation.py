"""Great Expectations' vocabulary, as far as Halfyear adds to it.

Importing this module imports Great Expectations (about 4 s) and registers what is defined here, so it is imported
by ``validation.import_great_expectations`` only.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_function_types import MetricFunctionTypes, MetricPartialFunctionTypes
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.column_map_metrics import column_values_unique
from great_expectations.expectations.metrics.column_pair_map_metrics.column_pair_values_greater import (
    ColumnPairValuesAGreaterThanB,
)
from great_expectations.expectations.metrics.map_metric_provider import map_condition_auxilliary_methods
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metrics.query_table.query_table import QueryTable
from great_expectations.expectations.registry import register_metric
from great_expectations.validator.metric_configuration import MetricConfiguration

from halfyear.contract import REGION_CODE_FORM

# Great Expectations reports a metric that is defined again as a warning; below it is meant.
_registry_log = logging.getLogger("great_expectations.expectations.registry")
_level = _registry_log.level
_registry_log.setLevel(logging.ERROR)


class UnifiedSocialCreditCode(ColumnMapMetricProvider):
    """The metric: the SQL function of ``sql/core/is_unified_social_credit_code.sql``, on every value that is not null."""

    condition_metric_name = "column_values.unified_social_credit_code"

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, **_: Any) -> Any:
        return sa.func.core.is_unified_social_credit_code(column)


class ExpectColumnValuesToBeUnifiedSocialCreditCode(ColumnMapExpectation):
    """Expect the values to be unified social credit codes with right check characters (GB 32100, GB 11714)."""

    map_metric: ClassVar[str] = "column_values.unified_social_credit_code"
    args_keys: ClassVar[tuple[str, ...]] = ("column",)


class KnownRegionCode(ColumnMapMetricProvider):
    """The metric: the code is one of the city's own regions, or lies in a county of others.

    Two memberships without correlation, which PostgreSQL answers from a hash table each; a function would look up
    every row. What has another form than a region code is not judged here.
    """

    condition_metric_name = "column_values.known_region_code"

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, **_: Any) -> Any:
        own: Any = sa.select(sa.column("spelling")).select_from(sa.table("region_spelling", schema="core"))
        elsewhere: Any = sa.select(sa.column("county_code")).select_from(sa.table("county_elsewhere", schema="core"))
        return sa.or_(
            column.in_(own), sa.func.left(column, 6).in_(elsewhere), sa.not_(column.regexp_match(REGION_CODE_FORM))
        )


class ExpectColumnValuesToBeKnownRegionCodes(ColumnMapExpectation):
    """Expect region codes to be the city's own, or in a county of GB/T 2260 of any edition since 1981."""

    map_metric: ClassVar[str] = "column_values.known_region_code"
    args_keys: ClassVar[tuple[str, ...]] = ("column",)


class UnexpectedRowsStayInTheDatabase(QueryTable):
    """Replaces the metric with which ``unexpected_rows_expectation`` fetches failing rows.

    Great Expectations fetches them even when only a yes or no is wanted, and psycopg2 then holds the whole
    result in memory. Failing rows may be personal and go to quarantine in SQL; their number is another metric.
    """

    metric_name = "unexpected_rows_query.table"
    value_keys = ("unexpected_rows_query",)
    query_param_name: ClassVar[str] = "unexpected_rows_query"

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return []


class PairsAreCountedWithTheRest(ColumnPairValuesAGreaterThanB):
    """Replaces the metrics that count the pairs of ``expect_column_pair_values_a_to_be_greater_than_b``.

    Great Expectations counts what a rule of one column says in one scan for all of them, but needs two scans more for
    each rule of a pair: of the rows that are not ignored, and of those that are unexpected among them. As aggregates
    both go with the rest.
    """

    @classmethod
    def _get_evaluation_dependencies(
        cls, metric: MetricConfiguration, *_: Any, **given: Any
    ) -> dict[str, MetricConfiguration]:
        name, _dot, suffix = metric.metric_name.partition(".filtered_row_count")
        if not _dot:
            # The method is untyped.
            found: dict[str, MetricConfiguration] = super()._get_evaluation_dependencies(metric, *_, **given)
            return found
        values = {k: v for k, v in metric.metric_value_kwargs.items() if k != "result_format"}
        if suffix == _AGGREGATE:
            return {
                "unexpected_condition": MetricConfiguration(f"{name}.condition", metric.metric_domain_kwargs, values)
            }
        counted = f"{metric.metric_name}{_AGGREGATE}"
        return {"metric_partial_fn": MetricConfiguration(counted, metric.metric_domain_kwargs, values)}


_AGGREGATE = f".{MetricPartialFunctionTypes.AGGREGATE_FN.metric_suffix}"


def _is_judged(domain: dict[str, Any]) -> Any:
    """Whether a row has the values that a rule of a pair wants, by its ``ignore_row_if``."""
    missing = [sa.column(domain[name]).is_(None) for name in ("column_A", "column_B")]
    ignored: dict[str, Any] = {
        "both_values_are_missing": sa.and_(*missing),
        "either_value_is_missing": sa.or_(*missing),
        "neither": sa.false(),
    }
    return sa.not_(ignored[domain.get("ignore_row_if", "both_values_are_missing")])


def _aggregate(condition: Any, domain: dict[str, Any], accessor: dict[str, Any]) -> tuple[Any, Any, Any]:
    everything = {name: value for name, value in domain.items() if name != "ignore_row_if"}
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0), everything, accessor


def _unexpected_pairs(
    cls: type, execution_engine: Any, metric_domain_kwargs: dict[str, Any], metrics: dict[str, Any], **_: Any
) -> tuple[Any, Any, Any]:
    condition, domain, accessor = metrics["unexpected_condition"]
    return _aggregate(sa.and_(_is_judged({**domain, **accessor}), condition), domain, accessor)


def _judged_pairs(
    cls: type, execution_engine: Any, metric_domain_kwargs: dict[str, Any], metrics: dict[str, Any], **_: Any
) -> tuple[Any, Any, Any]:
    _condition, domain, accessor = metrics["unexpected_condition"]
    return _aggregate(_is_judged({**domain, **accessor}), domain, accessor)


for _count, _provider in (("unexpected_count", _unexpected_pairs), ("filtered_row_count", _judged_pairs)):
    for _suffix, _function, _kind in (
        (_AGGREGATE, _provider, MetricPartialFunctionTypes.AGGREGATE_FN),
        ("", None, MetricFunctionTypes.VALUE),
    ):
        register_metric(
            metric_name=f"{PairsAreCountedWithTheRest.condition_metric_name}.{_count}{_suffix}",
            metric_domain_keys=PairsAreCountedWithTheRest.condition_domain_keys,
            metric_value_keys=PairsAreCountedWithTheRest.condition_value_keys,
            execution_engine=SqlAlchemyExecutionEngine,
            metric_class=PairsAreCountedWithTheRest,
            metric_provider=_function,
            metric_fn_type=_kind,
        )

_registry_log.setLevel(_level)


def _select_as_text(engine: SqlAlchemyExecutionEngine, select_statement: sa.Select[Any]) -> str:
    """A query with its parameters as SQL literals, for PostgreSQL.

    Great Expectations 1.24 writes Python's repr of the parameters: dates come out as ``datetime.datetime(...)``, texts
    with an apostrophe as identifiers, and texts with U+3000 raise. SQLAlchemy renders all of them rightly.
    """
    compiled = select_statement.compile(engine.engine, compile_kwargs={"literal_binds": True})
    # The dialect of psycopg2 doubles every per cent sign, for a statement that is run with parameters.
    return str(compiled).replace("%%", "%")


for _module in (map_condition_auxilliary_methods, column_values_unique):
    if not hasattr(_module, "sqlalchemy_select_to_sql_string"):
        raise ImportError(f"{_module.__name__} no longer has sqlalchemy_select_to_sql_string: see _select_as_text")
    vars(_module)["sqlalchemy_select_to_sql_string"] = _select_as_text
