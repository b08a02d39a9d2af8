"""Half-years as asset partitions, also through Airflow's own serialisation, which the scheduler reads."""

from __future__ import annotations

from datetime import datetime

import pytest
from airflow.partition_mappers.base import RollupMapper
from airflow.partition_mappers.temporal import FanOutMapper, StartOfMonthMapper
from airflow.partition_mappers.window import Window
from airflow.sdk import RollupMapper as AuthoredRollupMapper

from halfyear.scheduling.half_year_partition import HalfYearWindow, StartOfHalfYearMapper
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


@pytest.mark.parametrize(
    ("direction", "first", "last"),
    [
        (Window.Direction.FORWARD, datetime(2021, 7, 1), datetime(2021, 12, 1)),
        (Window.Direction.BACKWARD, datetime(2021, 2, 1), datetime(2021, 7, 1)),
    ],
)
def test_the_window_is_six_months(direction: Window.Direction, first: datetime, last: datetime) -> None:
    months = list(HalfYearWindow(direction=direction).to_upstream(datetime(2021, 7, 1)))
    assert (months[0], months[-1], len(months)) == (first, last, 6)


def test_a_window_starts_on_day_one() -> None:
    with pytest.raises(ValueError, match="day 1"):
        HalfYearWindow().to_upstream(datetime(2021, 7, 31))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin, as Airflow finds it; whether it does find it is asserted in test_dags.py."""
    from airflow import plugins_manager

    monkeypatch.setattr(
        plugins_manager,
        "get_partition_mapper_plugins",
        lambda: {"halfyear.scheduling.half_year_partition.StartOfHalfYearMapper": StartOfHalfYearMapper},
    )
    monkeypatch.setattr(
        plugins_manager,
        "get_windows_plugins",
        lambda: {"halfyear.scheduling.half_year_partition.HalfYearWindow": HalfYearWindow},
    )


@pytest.mark.usefixtures("registered")
def test_a_dag_can_wait_for_the_six_months_of_a_half_year() -> None:
    from airflow.serialization.decoders import decode_partition_mapper
    from airflow.serialization.encoders import encode_partition_mapper

    authored = AuthoredRollupMapper(upstream_mapper=mapper("%Y-%m"), window=HalfYearWindow())
    scheduled = decode_partition_mapper(encode_partition_mapper(authored))
    assert isinstance(scheduled, RollupMapper)
    assert scheduled.to_downstream("2022-03") == "2022-S1"
    assert sorted(scheduled.to_upstream("2022-S1")) == [f"2022-0{month}" for month in range(1, 7)]


@pytest.mark.usefixtures("registered")
def test_a_half_year_can_fan_out_to_its_months() -> None:
    fan_out = FanOutMapper(
        upstream_mapper=mapper(),
        window=HalfYearWindow(),
        downstream_mapper=StartOfMonthMapper(timezone="Asia/Shanghai"),
    )
    assert list(fan_out.to_downstream("2021-S2")) == [f"2021-{month:02}" for month in range(7, 13)]
