"""What a principal may see: the one place that applies somebody's wards to a query."""

from typing import Any

from sqlalchemy import ColumnElement, true

from service.access.principals import Principal
from service.errors import NotFound

_NOT_CLINICAL = frozenset({"ward", "membership", "client_ward"})
"""What an administrator sees of every ward."""


def visible(who: Principal, owned: Any) -> ColumnElement[bool]:
    """The condition that a ward-owned row is of one of the principal's wards; for a ward, that it is one.

    `owned` is a table, its row class, or an alias of a table. Use it in every query on somebody's behalf."""
    table = getattr(owned, "__table__", owned)
    name = getattr(getattr(table, "element", table), "name", "")
    if who.administrator and name in _NOT_CLINICAL:
        return true()
    column = table.c.id if name == "ward" else table.c.ward_id
    allowed: ColumnElement[bool] = column.in_(who.ward_ids)
    return allowed


def require_ward(who: Principal, ward_id: str | None) -> None:
    """Raises NotFound unless the ward is one of the principal's, or any for an administrator; None is not."""
    if ward_id is None or (ward_id not in who.roles and not who.administrator):
        raise NotFound
