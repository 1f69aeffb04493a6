"""What Alembic runs: the steps, on the connection it was handed, in the transaction that is already open."""

from typing import Any, Literal

from alembic import context

from service.storage.portable import IdType, InstantType
from service.storage.tables import METADATA


def render_item(kind: str, item: Any, draft: Any) -> str | Literal[False]:
    """Write our own column types by their names."""
    if kind == "type" and isinstance(item, (IdType, InstantType)):
        name = type(item).__name__
        draft.imports.add(f"from service.storage.portable import {name}")
        return f"{name}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=render_item,
    compare_server_default=True,
)
context.run_migrations()
