"""Great Expectations' vocabulary, as far as Halfyear adds to it.

Importing this module imports Great Expectations (about 4 s) and registers what is defined here, so it is imported
by ``checks.import_great_expectations`` only.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.column_map_metrics import column_values_unique
from great_expectations.expectations.metrics.map_metric_provider import map_condition_auxilliary_methods
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metrics.query_table.query_table import QueryTable

from halfyear.contract import REGION_CODE_FORM

# Great Expectations reports a metric that is defined again as a warning; below it is meant.
_registry_log = logging.getLogger("great_expectations.expectations.registry")
_level = _registry_log.level
_registry_log.setLevel(logging.ERROR)


class UnifiedSocialCreditCode(ColumnMapMetricProvider):
    """The metric: the SQL function of ``sql/core/identifiers.sql``, on every value that is not null."""

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
