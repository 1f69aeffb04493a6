"""`wardwatch`: the command line. A command loads what it needs when it runs, so that help comes at once."""

import os
from typing import Any

import typer
from typer.core import TyperGroup

from service.cli import accounts, demo, feed, governance, keys, operate, sandbox, serve
from service.errors import WardwatchError


class Commands(TyperGroup):
    """Says what went wrong in one line instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refusal ends with its message and exit code 2."""
        try:
            return super().invoke(ctx)
        except WardwatchError as problem:
            raise _said(problem.detail) from problem
        except Exception as problem:
            from service.storage.faults import is_unavailable

            if os.environ.get("WARDWATCH_LOG_LEVEL") == "debug" or not is_unavailable(problem):
                raise
            raise _said(f"The database cannot be reached: {type(problem).__name__}") from problem


def _said(message: str) -> typer.Exit:
    typer.echo(f"wardwatch: {message}", err=True)
    return typer.Exit(2)


app = typer.Typer(
    cls=Commands,
    help="Remote monitoring for virtual wards. Settings are environment variables WARDWATCH_*.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # Tracebacks of the usual kind: the pretty ones print the values of variables.
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(feed.feed)
app.command()(sandbox.simulate)
app.command()(sandbox.replay)
app.command()(serve.serve)
app.command()(operate.migrate)
app.command()(operate.check)
app.command()(operate.openapi)
app.command()(operate.backup)
app.command()(operate.restore)
app.command()(governance.export)
app.command()(governance.retention)
app.command()(governance.scrub)
app.add_typer(accounts.ward_app, name="ward")
app.add_typer(accounts.staff_app, name="staff")
app.add_typer(accounts.client_app, name="client")
app.add_typer(keys.keys_app, name="keys")
