"""`wardwatch ward add`, `staff add`, `client add`: what has to be there before anybody can sign in."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from service.clock import real_now
from service.errors import Invalid, SettingInvalid, WardwatchError
from service.settings import from_environ

if TYPE_CHECKING:
    from service.storage.session import WriteSession

Result = TypeVar("Result")

ward_app = typer.Typer(help="Wards.", no_args_is_help=True)
staff_app = typer.Typer(help="People who work on wards.", no_args_is_help=True)
client_app = typer.Typer(help="Systems that send or read.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
Wards = Annotated[list[str] | None, typer.Option("--ward", help="A ward's id; repeat for more.")]


# Without a callback typer would take the only command of a group for the group itself.
@ward_app.callback()
@staff_app.callback()
@client_app.callback()
def _group() -> None:
    pass


@ward_app.command("add")
def add_ward(
    name: str,
    ods: Annotated[str | None, typer.Option(help="Organisation Data Service code.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open a ward."""
    from pydantic import ValidationError

    from service.problems import field_errors
    from service.wards.schemas import WardIn
    from service.wards.setup import open_ward

    try:
        wanted = WardIn(name=name, ods_code=ods)
    except ValidationError as problem:
        raise _readable(Invalid(errors=field_errors(problem))) from None

    async def work(session: "WriteSession") -> str:
        return (await open_ward(session, None, real_now(), **wanted.model_dump())).id

    ward_id = write(work)
    say({"ward_id": ward_id}, f"Ward {name}: {ward_id}", as_json)


@staff_app.command("add")
def add_staff(
    email: str,
    role: Annotated[str, typer.Option(help="clinician, lead, auditor, or administrator (needs no ward).")],
    ward: Wards = None,
    name: Annotated[str | None, typer.Option(help="Shown to colleagues; else the e-mail address.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody; the password comes from standard input."""
    from service.access import accounts
    from service.access.passwords import Passwords

    password = _password()

    async def work(session: "WriteSession") -> str:
        passwords = Passwords()
        try:
            password_hash = await passwords.hash(password, email=email)
        finally:
            passwords.close()
        return await accounts.add_staff(
            session,
            email=email,
            name=name or email,
            password_hash=password_hash,
            roles={} if role == "administrator" else dict.fromkeys(ward or (), role),
            administrator=role == "administrator",
            at=real_now(),
        )

    if role == "administrator" and ward:
        raise WardwatchError("An administrator is not on a ward: leave out --ward.")
    staff_id = write(work)
    say({"staff_id": staff_id}, f"{role} {email}: {staff_id}", as_json)


@client_app.command("add")
def add_client(
    name: str,
    scope: Annotated[list[str], typer.Option(help="What it may do; repeat for more.")],
    ward: Wards = None,
    as_json: AsJson = False,
) -> None:
    """Add a system. Its secret is shown once."""
    from service.access import accounts

    async def work(session: "WriteSession") -> tuple[str, str]:
        return await accounts.add_client(session, name=name, scopes=scope, ward_ids=ward or [], at=real_now())

    client_id, secret = write(work)
    shown = f"Client {name}: {client_id}\nSecret, shown only now: {secret}"
    say({"client_id": client_id, "client_secret": secret}, shown, as_json)


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def write(work: "Callable[[WriteSession], Awaitable[Result]]") -> Result:
    """Run something in one transaction on the database of the settings."""
    from service.storage.engine import open_database
    from service.storage.readiness import EXPLANATIONS, facts
    from service.storage.session import writing

    async def run(url: str) -> Result:
        standing = (await facts(url)).standing
        if standing != "ready":
            raise SettingInvalid(EXPLANATIONS[standing])
        database = open_database(url)
        try:
            async with writing(database) as session:
                return await work(session)
        finally:
            await database.close()

    try:
        return asyncio.run(run(from_environ(os.environ).database_url))
    except Invalid as problem:
        raise _readable(problem) from None


def _readable(problem: Invalid) -> WardwatchError:
    return WardwatchError("; ".join(f"{each.pointer.lstrip('/')} {each.message}" for each in problem.errors))


def say(facts: dict[str, str], text: str, as_json: bool) -> None:
    """Print a text, or with `--json` the facts that are in it."""
    typer.echo(json.dumps(facts) if as_json else text)
