"""Half-years as Airflow asset partitions: Airflow has mappers and windows from hour to year, but not these.

A DAG that waits for a whole half-year of a monthly or daily asset combines the two::

    RollupMapper(
        upstream_mapper=StartOfHalfYearMapper(timezone="Asia/Shanghai", input_format="%Y-%m"),
        window=HalfYearWindow(),
    )

They are registered by ``plugins/halfyear_plugin.py``; Airflow refuses to serialise a mapper that is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from airflow.partition_mappers.temporal import _BaseTemporalMapper
from airflow.partition_mappers.window import Window

from halfyear import period
from halfyear.errors import UsageError


class StartOfHalfYearMapper(_BaseTemporalMapper):
    """Map a partition key to the half-year that contains it: ``2022-03-13T10:42:15`` becomes ``2022-S1``.

    A key that is a half-year already stays as it is, so the mapper also stands where half-years arrive,
    and there refuses every other key. Downstream keys are SDMX semester codes and nothing else.
    """

    default_output_format = "%Y-S{semester}"

    def to_downstream(self, key: str) -> str:
        try:
            return str(period.parse(key))
        except UsageError:
            return str(super().to_downstream(key))

    def normalize(self, dt: datetime) -> datetime:
        """The first instant of the half-year, in the zone of ``dt``."""
        return dt.replace(month=1 if dt.month < 7 else 7, day=1, hour=0, minute=0, second=0, microsecond=0)

    def format(self, dt: datetime) -> str:
        return str(period.Period(dt.year, 1 if dt.month < 7 else 2))

    def decode_downstream(self, downstream_key: str) -> datetime:
        """The first day of a half-year, without a zone as Airflow expects it; ValueError for any other key."""
        try:
            first_day = period.parse(downstream_key).first_day
        except UsageError as error:
            raise ValueError(str(error)) from None
        return datetime(first_day.year, first_day.month, 1)


class HalfYearWindow(Window):
    """The six months of a half-year: from its first month on, or with BACKWARD the six that end at it."""

    expected_decoded_type: ClassVar[type] = datetime

    def to_upstream(self, decoded_downstream: datetime) -> Iterable[datetime]:
        if decoded_downstream.day != 1:
            raise ValueError(f"a half-year starts on day 1 of a month, not on {decoded_downstream.isoformat()}")
        first = -5 if self.direction is Window.Direction.BACKWARD else 0
        return [_months_later(decoded_downstream, first + step) for step in range(6)]


def _months_later(day: datetime, months: int) -> datetime:
    count = day.year * 12 + day.month - 1 + months
    return day.replace(year=count // 12, month=count % 12 + 1)
