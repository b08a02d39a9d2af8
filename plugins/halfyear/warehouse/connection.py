"""Connections to the warehouse: by role, in one transaction, with errors that quote no row."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2.extensions import connection as Connection

from halfyear.errors import InfrastructureFault, UsageError
from halfyear.settings import LOCAL_ZONE_NAME, Settings
from halfyear.warehouse import embedded

Role = Literal["owner", "loader", "publisher", "reader"]
MINIMUM_VERSION = 180000


def url(settings: Settings) -> str:
    """The URL of the warehouse as its owner: ``HALFYEAR_WAREHOUSE``, the Airflow connection, or the embedded server.

    Raises InfrastructureFault when there is none.
    """
    found = settings.warehouse or os.environ.get("AIRFLOW_CONN_HALFYEAR_WAREHOUSE") or embedded.server_url(settings)
    if not found:
        raise InfrastructureFault(
            "数据仓库未启动，请先运行 halfyear up，不要 Airflow 则用 halfyear migrate / the warehouse is not running; run: "
            "halfyear up, or without Airflow: halfyear migrate"
        )
    return found.replace("postgres://", "postgresql://", 1).replace("postgresql+psycopg2://", "postgresql://", 1)


def role_url(settings: Settings, role: Role) -> str:
    """The URL with which a person or program connects as ``role`` (without a password where one is needed)."""
    base = url(settings)
    if role == "owner":
        return base
    parts = urlsplit(base)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"halfyear_{role}@{host}"))


def sqlalchemy_url(settings: Settings) -> str:
    """The URL in SQLAlchemy's form, acting as the loader: a socket needs a host in front of ``?host=``."""
    parts = urlsplit(url(settings))
    user, _, host = parts.netloc.rpartition("@")
    options = quote(f"-c role=halfyear_loader -c timezone={LOCAL_ZONE_NAME}")
    query = f"{parts.query}&options={options}" if parts.query else f"options={options}"
    return urlunsplit(("postgresql+psycopg2", f"{user or 'postgres'}@{host or 'localhost'}", parts.path, query, ""))


def connect(settings: Settings, role: Role = "loader") -> Connection:
    """Open a connection that acts as ``role``; times are shown in Asia/Shanghai.

    Raises InfrastructureFault when the server cannot be reached or is older than PostgreSQL 18.
    """
    options = f"-c timezone={LOCAL_ZONE_NAME} -c client_min_messages=warning"
    if role != "owner":
        options += f" -c role=halfyear_{role}"
    try:
        connection = psycopg2.connect(
            settings.publisher if role == "publisher" and settings.publisher else url(settings),
            options=options,
            fallback_application_name="halfyear",
            connect_timeout=10,
        )
    except psycopg2.OperationalError as error:
        raise InfrastructureFault(
            f"无法连接数据仓库 / the warehouse cannot be reached: {str(error).splitlines()[0]}"
        ) from None
    except psycopg2.ProgrammingError:  # quotes the URL, which may hold a password
        raise UsageError(
            "HALFYEAR_WAREHOUSE 不是 PostgreSQL 的 URL / is not the URL of a PostgreSQL server; write postgresql://…"
        ) from None
    if connection.server_version < MINIMUM_VERSION:
        connection.close()
        raise InfrastructureFault("需要 PostgreSQL 18 / the warehouse needs PostgreSQL 18 or newer")
    return connection


@contextmanager
def transaction(settings: Settings, role: Role = "loader") -> Iterator[Connection]:
    """One connection and one transaction: committed at the end, rolled back and closed on any error.

    A PostgreSQL error becomes an InfrastructureFault with its primary message only: DETAIL and CONTEXT quote rows.
    """
    connection = connect(settings, role)
    try:
        yield connection
        connection.commit()
    except psycopg2.Error as error:
        raise InfrastructureFault(describe(error)) from None
    finally:
        connection.close()


def describe(error: psycopg2.Error) -> str:
    """The primary message of a PostgreSQL error, which quotes no row; of a fault in the data only its code, as it may."""
    primary = error.diag.message_primary if error.diag else None
    if (error.pgcode or "").startswith("22"):
        primary = f"{type(error).__name__} (SQLSTATE {error.pgcode})"
    return f"数据仓库出错 / the warehouse reported: {primary or type(error).__name__}"
