"""What a principal may see: the one place that applies somebody's wards to a query."""

from typing import Any

from sqlalchemy import ColumnElement, false, true

from service.access.principals import Home, Principal
from service.errors import NotFound

_NOT_CLINICAL = frozenset({"ward", "membership", "client_ward", "rule_set"})
"""What an administrator sees of every ward."""


def visible(who: Principal, table: Any) -> ColumnElement[bool]:
    """The condition that a ward-owned row is of one of the principal's wards; for a ward, that it is one.

    `table` is a table or an alias of one. Use it in every query on somebody's behalf."""
    name = getattr(getattr(table, "element", table), "name", "")
    if who.administrator and name in _NOT_CLINICAL:
        return true()
    if who.home is not None:
        return _at_home(who.home, table, name)
    column = table.c.id if name == "ward" else table.c.ward_id
    allowed: ColumnElement[bool] = column.in_(who.ward_ids)
    return allowed


def require_ward(who: Principal, ward_id: str | None) -> None:
    """Raises NotFound unless the ward is one of the principal's, or any for an administrator; None is not.

    Nobody at home has a ward: whatever names one is for those who work there."""
    if ward_id is None or (ward_id not in who.roles and not who.administrator):
        raise NotFound


def _at_home(home: Home, table: Any, name: str) -> ColumnElement[bool]:
    """Their stay and what was measured in it; of every other table nothing."""
    columns = {"stay": "id", "reading": "stay_id"}
    if name not in columns:
        return false()
    mine: ColumnElement[bool] = (table.c.ward_id == home.ward_id) & (table.c[columns[name]] == home.stay_id)
    return mine
