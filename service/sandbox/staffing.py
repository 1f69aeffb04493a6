"""The accounts of a demo ward: synthetic people with printed passwords, and the system that sends."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.access import accounts
from service.access.passwords import Passwords
from service.storage.engine import open_database
from service.storage.session import writing

SENDER_SCOPES = ("readings:write", "readings:read", "patients:read", "patients:write")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one account signs in. `form` is the body of `POST /oauth/token`."""

    role: str
    name: str
    password: str

    @property
    def form(self) -> Mapping[str, str]:
        """The form, without a scope: the token carries all the account has."""
        if self.role == "partner":
            return {
                "grant_type": "client_credentials",
                "client_id": self.name,
                "client_secret": self.password,
            }
        return {"grant_type": "password", "username": self.name, "password": self.password}


async def add_administrator(url: str, at: datetime) -> SignIn:
    """The first account: nobody is there yet who could make it over the API. `at` is real time."""
    return (await _add_staff(url, {"administrator": None}, at))[0]


async def add_team(url: str, ward_id: str, at: datetime) -> list[SignIn]:
    """A lead, a clinician and the system that sends the readings. `at` is real time."""
    team = await _add_staff(url, {"lead": ward_id, "clinician": ward_id}, at)
    database = open_database(url)
    try:
        async with writing(database) as session:
            client_id, secret = await accounts.add_client(
                session, name="Simulated home monitoring", scopes=SENDER_SCOPES, ward_ids=[ward_id], at=at
            )
    finally:
        await database.close()
    return [*team, SignIn("partner", client_id, secret)]


async def _add_staff(url: str, wards: Mapping[str, str | None], at: datetime) -> list[SignIn]:
    signs_in = [SignIn(role, f"{role}@demo.example", f"demo-{role}-{secrets.token_hex(3)}") for role in wards]
    database, passwords = open_database(url), Passwords()
    try:
        hashes = [await passwords.hash(each.password) for each in signs_in]
        async with writing(database) as session:
            for each, password_hash in zip(signs_in, hashes, strict=True):
                ward_id = wards[each.role]
                await accounts.add_staff(
                    session,
                    email=each.name,
                    name=f"Demo {each.role}",
                    password_hash=password_hash,
                    roles={ward_id: each.role} if ward_id else {},
                    administrator=ward_id is None,
                    at=at,
                )
    finally:
        passwords.close()
        await database.close()
    return signs_in
