"""One peer loads one file, in a process of its own: ``python -m benchmarks.peer NAME FILE URL``.

Each is written as its documentation shows it, ends in a typed table of schema ``peer``, and is imported before the
clock starts. Prints seconds, rows and the greatest resident size in MB as JSON.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmarks.generate import HALF, HEADERS
from benchmarks.memory import peak_mb
from halfyear import contract
from halfyear import settings as settings_module
from halfyear.contract import Contract, Rule
from halfyear.staging import validation
from halfyear.staging.rule import suite as suite_of

TABLE = "hotline_call"
SCHEMA = "peer"
#: Gets file and URL; does the imports and returns the work, which returns the rows that it loaded, or None to have
#: them counted.
Peer = Callable[[Path, str], Callable[[], int | None]]


def _contract() -> Contract:
    return contract.load_all(settings_module.load().expectations)["hotline_call"]


def _names(*logical_types: str) -> list[str]:
    """The columns of the file with one of these types."""
    return [p.name for p in _contract().properties if p.logical_type in logical_types]


# -- dlt ------------------------------------------------------------------------------------------------


def dlt_default(path: Path, url: str) -> Callable[[], None]:
    """dlt's own CSV reader, told the types, and its preferred file format."""
    from dlt.sources.filesystem import filesystem, read_csv

    pipeline = _pipeline(url)

    def work() -> None:
        files = filesystem(bucket_url=path.parent.as_uri(), file_glob=path.name)
        pipeline.run((files | read_csv(**_parsing())).with_name(TABLE)).raise_on_failed_jobs()

    return work


def dlt_csv(path: Path, url: str) -> Callable[[], None]:
    """dlt with typed Arrow batches, loaded as CSV by COPY."""
    return _dlt_arrow(path, url, "csv")


def dlt_parquet(path: Path, url: str) -> Callable[[], None]:
    """dlt with typed Arrow batches, loaded as Parquet by ADBC."""
    return _dlt_arrow(path, url, "parquet")


def _dlt_arrow(path: Path, url: str, file_format: Any) -> Callable[[], None]:
    import dlt
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    pipeline = _pipeline(url)
    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.decimal128(18, 2),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }

    def batches() -> Iterator[pa.Table]:
        reader = arrow_csv.open_csv(
            path,
            arrow_csv.ReadOptions(column_names=list(HEADERS), skip_rows=1, block_size=16 << 20),
            convert_options=arrow_csv.ConvertOptions(
                column_types={p.name: types[p.logical_type] for p in _contract().properties},
                strings_can_be_null=True,
            ),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch])

    def work() -> None:
        resource = dlt.resource(batches, name=TABLE)
        pipeline.run(resource, loader_file_format=file_format).raise_on_failed_jobs()

    return work


def _pipeline(url: str) -> Any:
    import dlt

    parts = urlsplit(url)
    # dlt wants a host and a password; the socket of the query decides where the connection goes.
    role = parts.netloc.rpartition("@")[0]
    credentials = urlunsplit(parts._replace(netloc=f"{role}:none@localhost"))
    return dlt.pipeline(
        "benchmark",
        pipelines_dir=os.environ["DLT_DATA_DIR"],
        destination=dlt.destinations.postgres(credentials),
        dataset_name=SCHEMA,
    )


# -- pandas ---------------------------------------------------------------------------------------------


def pandas_to_sql(path: Path, url: str) -> Callable[[], None]:
    """pandas, as most scripts have it: read_csv and to_sql."""
    import pandas  # noqa: F401
    import sqlalchemy

    engine = sqlalchemy.create_engine(_sqlalchemy(url))

    def work() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"create schema {SCHEMA}")
            _frame(path).to_sql(TABLE, connection, schema=SCHEMA, index=False)

    return work


def pandas_copy(path: Path, url: str) -> Callable[[], None]:
    """pandas for the parsing, COPY for the loading."""
    import pandas  # noqa: F401
    import psycopg2
    import sqlalchemy

    engine = sqlalchemy.create_engine(_sqlalchemy(url))

    def work() -> None:
        frame = _frame(path)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"create schema {SCHEMA}")
            frame.head(0).to_sql(TABLE, connection, schema=SCHEMA, index=False)
        buffer = io.StringIO()
        frame.to_csv(buffer, index=False, header=False)
        buffer.seek(0)
        with closing(psycopg2.connect(url)) as raw, raw, raw.cursor() as cursor:
            cursor.copy_expert(f"copy {SCHEMA}.{TABLE} from stdin with (format csv)", buffer)

    return work


def _frame(path: Path) -> Any:
    import pandas

    frame = pandas.read_csv(path, **_parsing())
    for name in _names("boolean"):
        frame[name] = frame[name].astype(bool)
    return frame


def _parsing() -> dict[str, Any]:
    """What pandas has to be told of the file. Its Chinese headers would be no names of columns everywhere."""
    return {
        "names": list(HEADERS),
        "header": 0,
        "dtype": {name: "str" for name in _names("string")},
        "parse_dates": _names("timestamp", "date"),
    }


def _sqlalchemy(url: str) -> str:
    parts = urlsplit(url)
    role = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(scheme="postgresql+psycopg2", netloc=f"{role}@localhost"))


# -- Great Expectations ---------------------------------------------------------------------------------


def great_expectations_pandas(path: Path, url: str) -> Callable[[], int]:
    """The same rules, asked of a data frame instead of PostgreSQL; reading the file counts too."""
    validation.import_great_expectations()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    source = _contract()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    rules = [validation.expectation(source.source, _for_pandas(rule)) for rule in suite_of(source)]

    def work() -> int:
        frame = _frame(path)
        frame["record_key"] = frame["call_no"]
        asset = context.data_sources.add_pandas("frames").add_dataframe_asset("calls")
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite(name="rules", expectations=rules)
        answer = batch.validate(suite, result_format={"result_format": "BOOLEAN_ONLY"})
        if not answer.success:
            raise AssertionError([r.expectation_config for r in answer.results if not r.success])
        return len(frame)

    return work


def _for_pandas(rule: Rule) -> Rule:
    """The rule with days and instants as pandas compares them: without a zone, as the frame has them."""
    import pandas

    if not rule.type.endswith("_to_be_between"):
        return rule
    ends = {"snapshot_date": HALF.last_day, "snapshot_end": HALF.next_day}
    kwargs = dict(rule.kwargs)
    for name in {"min_value", "max_value"} & kwargs.keys():
        value = kwargs[name]
        if isinstance(value, dict):
            kwargs[name] = pandas.Timestamp(ends[value["$PARAMETER"]])
        elif isinstance(value, str):
            kwargs[name] = pandas.Timestamp(value).tz_localize(None)
    return rule.model_copy(update={"kwargs": kwargs})


PEERS: dict[str, Peer] = {
    "dlt_default": dlt_default,
    "dlt_csv": dlt_csv,
    "dlt_parquet": dlt_parquet,
    "pandas_to_sql": pandas_to_sql,
    "pandas_copy": pandas_copy,
    "great_expectations_pandas": great_expectations_pandas,
}


def main() -> None:
    name, path, url = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="halfyear-bench-peer-") as folder:
        os.environ |= {"DLT_DATA_DIR": folder, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
        os.chdir(folder)
        work = PEERS[name](path, url)
        began = time.perf_counter()
        rows = work()
        taken = time.perf_counter() - began
    print(json.dumps({"seconds": taken, "rows": _loaded(url) if rows is None else rows, "peak_mb": peak_mb("self")}))


def _loaded(url: str) -> int:
    """The rows of the peer's table; raises unless its columns are there and its times are times."""
    import psycopg2

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select column_name, data_type from information_schema.columns where table_schema = %s and table_name = %s",
            (SCHEMA, TABLE),
        )
        types = dict(cursor.fetchall())
        if not types.keys() >= HEADERS.keys() or not types["dispatched_at"].startswith("timestamp"):
            raise AssertionError(f"not the table that was wanted: {types}")
        cursor.execute(f"select count(*) from {SCHEMA}.{TABLE}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
