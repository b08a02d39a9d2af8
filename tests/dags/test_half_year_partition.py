"""Half-years as asset partitions, also through Airflow's own serialisation, which the scheduler reads."""

from __future__ import annotations

from datetime import datetime

import pytest

from halfyear.scheduling.half_year_partition import StartOfHalfYearMapper
from halfyear.settings import LOCAL_ZONE


def mapper(input_format: str = "%Y-%m-%dT%H:%M:%S") -> StartOfHalfYearMapper:
    return StartOfHalfYearMapper(timezone="Asia/Shanghai", input_format=input_format)


@pytest.mark.parametrize(
    ("key", "period"),
    [
        ("2022-01-01T00:00:00", "2022-S1"),
        ("2022-06-30T23:59:59", "2022-S1"),
        ("2022-07-01T00:00:00", "2022-S2"),
        ("2021-12-31T23:59:59", "2021-S2"),
        ("2022-S1", "2022-S1"),
    ],
)
def test_a_key_is_mapped_to_its_half_year(key: str, period: str) -> None:
    assert mapper().to_downstream(key) == period


def test_an_instant_counts_where_we_are() -> None:
    # Half past five in the afternoon of 30 June in London is 1 July in Shanghai.
    assert mapper("%Y-%m-%dT%H:%M:%S%z").to_downstream("2022-06-30T16:30:00+0000") == "2022-S2"


@pytest.mark.parametrize("key", ["2022-S3", "2022-H1", "2022", ""])
def test_a_key_that_is_no_half_year_is_refused_downstream(key: str) -> None:
    with pytest.raises(ValueError, match="2022-S1"):
        mapper().decode_downstream(key)


def test_the_partition_date_is_the_first_instant_of_the_half_year() -> None:
    assert mapper().to_partition_date("2022-S2") == datetime(2022, 7, 1, tzinfo=LOCAL_ZONE)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin, as Airflow finds it; whether it does find it is asserted in test_dags.py."""
    from airflow import plugins_manager

    monkeypatch.setattr(
        plugins_manager,
        "get_partition_mapper_plugins",
        lambda: {"halfyear.scheduling.half_year_partition.StartOfHalfYearMapper": StartOfHalfYearMapper},
    )


@pytest.mark.usefixtures("registered")
def test_the_scheduler_reads_the_mapper_as_it_was_written() -> None:
    from airflow.serialization.decoders import decode_partition_mapper
    from airflow.serialization.encoders import encode_partition_mapper

    scheduled = decode_partition_mapper(encode_partition_mapper(mapper("%Y-%m")))
    assert scheduled.to_downstream("2022-03") == "2022-S1"
