"""`wardwatch keys`: the keys that sign access tokens."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.accounts import AsJson, say, write
from service.clock import real_now
from service.settings import from_environ, secret_keys_of

if TYPE_CHECKING:
    from datetime import datetime

    from service.storage.session import WriteSession

keys_app = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)


@keys_app.callback()
def _group() -> None:
    pass


@keys_app.command("rotate")
def rotate_keys(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Somebody else may have the key: end every access token now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new signing key. It is published now and signs in a quarter of an hour; tokens signed before stay good.

    What is encrypted in the database is written anew under WARDWATCH_SECRET_KEY. Nothing has to be restarted."""
    from service.access.rotation import rotate

    secret_keys = secret_keys_of(from_environ(os.environ))

    async def work(session: "WriteSession") -> "tuple[str, datetime, datetime]":
        return await rotate(session, secret_keys, real_now(), at_once=at_once)

    key_id, signs_from, old_end_at = write(work)
    facts = {"key": key_id, "signs_from": signs_from.isoformat(), "old_end_at": old_end_at.isoformat()}
    shown = (
        f"Key {key_id} signs from {signs_from:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"Tokens signed before are taken until {old_end_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    say(facts, shown, as_json)
