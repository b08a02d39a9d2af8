"""Half-years as Airflow asset partitions: Airflow has mappers from hour to year, but not this one.

It is registered by ``plugins/halfyear_plugin.py``; Airflow refuses to serialise a mapper that is not.
"""

from __future__ import annotations

from datetime import datetime

from airflow.partition_mappers.temporal import _BaseTemporalMapper

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
