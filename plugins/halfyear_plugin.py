"""Registers with Airflow what the package adds to it; the one module below plugins/ that Airflow scans."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from halfyear.scheduling.half_year_partition import StartOfHalfYearMapper


class HalfyearPlugin(AirflowPlugin):
    """Half-years as asset partitions."""

    name = "halfyear"
    partition_mappers: ClassVar[list[Any]] = [StartOfHalfYearMapper]
