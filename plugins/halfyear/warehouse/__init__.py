"""Warehouse: connections, roles, and everything that is derived from declarations.

``migration`` opens the warehouse for a role and brings it to what ``sql/`` and ``expectations/`` declare; ``embedded``
is the PostgreSQL that Halfyear brings along.
"""

from halfyear.warehouse.migration import (
    connect,
    describe,
    is_migrated,
    migrate,
    role_url,
    sqlalchemy_url,
    transaction,
    url,
)

__all__ = ["connect", "describe", "is_migrated", "migrate", "role_url", "sqlalchemy_url", "transaction", "url"]
