"""Warehouse: connections, roles, and everything that is derived from declarations.

``connection`` opens the warehouse for a role; ``migration`` brings it to what ``sql/`` and ``expectations/`` declare, with
the tables of the contracts from ``core_table``; ``embedded`` is the PostgreSQL that Halfyear brings along.
"""

from halfyear.warehouse.connection import (
    connect,
    describe,
    role_url,
    sqlalchemy_url,
    transaction,
    url,
)
from halfyear.warehouse.migration import is_migrated, migrate

__all__ = ["connect", "describe", "is_migrated", "migrate", "role_url", "sqlalchemy_url", "transaction", "url"]
