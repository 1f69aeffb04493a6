"""What the intake says to the database: every lock and write names its ward, and locks come in one order."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from service.fields import new_id
from service.storage.tables import METADATA
from tests.support.statements import heard
from tests.support.wards import Partner, reading

WARD_OWNED = {name for name, table in METADATA.tables.items() if "ward_id" in table.c}
WRITE = re.compile(r"(?:^|\(|\) )\s*(INSERT INTO|UPDATE|DELETE FROM) (\w+)")
LOCK = re.compile(r"FOR (?:NO KEY )?UPDATE", re.IGNORECASE)
FROM = re.compile(r"\b(?:FROM|JOIN) (\w+)")


@contextmanager
def recorded(app: FastAPI) -> Iterator[list[list[str]]]:
    """Every transaction of the service that is committed, as the list of its statements."""
    said: list[list[str]] = []
    under_way: defaultdict[Any, list[str]] = defaultdict(list)

    def hear(driver: Any, statement: str) -> None:
        under_way[driver].append(statement)
        if statement.startswith("COMMIT"):
            said.append(under_way.pop(driver))
        elif statement.startswith("ROLLBACK"):
            del under_way[driver]

    with heard(app.state.served.groups, hear):
        yield said


async def a_busy_moment(partner: Partner) -> None:
    """New, repeated, refused and conflicting readings of several stays; alerts open, worsen, recover."""
    stays = [await partner.admit() for _ in range(4)]
    for spo2 in (97, 93, 90, 96, 97):
        bodies = [reading(stay, spo2=spo2, breathlessness=1) for stay in stays]
        await asyncio.gather(*(partner.ask("POST", "/v1/readings", body) for body in [*bodies, *bodies]))
        rows = [*bodies, *(reading(stay, spo2=101) for stay in stays), {**bodies[0], "spo2": 50}]
        await partner.ask("POST", "/v1/readings/batch", {"readings": rows})


async def test_every_lock_and_every_write_of_the_intake_names_its_ward(app: FastAPI, partner: Partner) -> None:
    with recorded(app) as said:
        await a_busy_moment(partner)
    written: set[str] = set()
    for statement in (each for transaction in said for each in transaction):
        for verb, table, rest in writes(statement):
            assert table in WARD_OWNED, statement
            written.add(table)
            where = rest if verb == "INSERT INTO" else rest.partition("WHERE")[2]
            assert "ward_id" in where, f"a write that does not name its ward: {statement}"
        if LOCK.search(statement):
            assert f"{locked(statement)[0]}.ward_id = " in statement, f"a lock that does not name its ward: {statement}"
    assert written >= {"reading", "idempotency", "refusal", "alert", "event", "ward_feed"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgres
async def test_locks_are_taken_in_the_one_order(app: FastAPI, partner: Partner) -> None:
    with recorded(app) as said:
        await a_busy_moment(partner)
    order = {"stay": 0, "alert": 1, "ward_feed": 2}
    seen: set[tuple[str, ...]] = set()
    for transaction in said:
        tables = [table for statement in transaction for table in locked(statement) if table in order]
        assert tables == sorted(tables, key=order.__getitem__), transaction
        seen.add(tuple(dict.fromkeys(tables)))
    assert ("stay", "alert", "ward_feed") in seen


def writes(statement: str) -> Iterator[tuple[str, str, str]]:
    """(verb, table, the rest) of each write in a statement: it may hold several."""
    found = list(WRITE.finditer(statement))
    ends = [*(after.start() for after in found[1:]), len(statement)]
    for number, write in enumerate(found):
        yield write[1], write[2], statement[write.end() : ends[number]]


def locked(statement: str) -> list[str]:
    """The tables whose existing rows a statement locks."""
    if LOCK.search(statement):
        of = re.search(r" OF (\w+)", statement)
        return [of[1] if of else FROM.search(statement)[1]]  # type: ignore[index]
    return [table for verb, table, _ in writes(statement) if verb != "INSERT INTO"]


async def test_a_group_costs_a_handful_of_statements_however_many_it_holds(app: FastAPI, partner: Partner) -> None:
    stays = [await partner.admit(baseline_spo2=97) for _ in range(20)]
    rows = [reading(stay, spo2=97) for stay in stays for _ in range(10)]
    await partner.ask("POST", "/v1/readings/batch", {"readings": [reading(stay) for stay in stays]})
    most = 6 if app.state.database.is_embedded else 5  # two inserts are one statement where that saves a way
    for word in ("created", "replayed"):
        with recorded(app) as said:
            answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
        assert answer.json()[word] == 200
        statements = sum(len(transaction) for transaction in said)
        assert len(said) <= 4
        assert statements <= len(said) * most + (word == "replayed"), said


async def test_a_batch_of_stays_nobody_asked_for_before_costs_one_look_and_so_do_those_that_are_not_there(
    app: FastAPI, partner: Partner
) -> None:
    stays = [await partner.admit() for _ in range(20)]
    rows = [reading(stay) for stay in [*stays, *(new_id() for _ in range(20))]]
    looks: list[str] = []

    def hear(_driver: Any, statement: str) -> None:
        if "stay_id" in statement:
            looks.append(statement)

    with heard(app.state.served.looks, hear):
        answer = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    assert (answer["created"], answer["rejected"]) == (20, 20)
    assert len(looks) == 1, looks
