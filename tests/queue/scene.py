"""A ward with staff, patients and stays, and the engine's real decisions written by the real queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import insert

from alerts.judge import judge
from alerts.reading import Quality, Reading
from alerts.record import Record
from service.access.principals import Principal
from service.access.store import find_principal, insert_staff
from service.feed.positions import Position, Positions
from service.fields import END_OF_TIME, new_id
from service.queue.raising import StayChanges, Written, load_unresolved, write_changes
from service.queue.store import lock_stay
from service.storage.engine import Database
from service.storage.session import reading, writing
from service.storage.tables import METADATA
from service.wards.setup import open_ward

BEGAN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
FAMILY_NAME = "Featherstonehaugh"
NHS_NUMBER = "9990000042"


@dataclass(frozen=True)
class Stay:
    ward_id: str
    id: str
    patient_id: str


@dataclass
class Scene:
    """One ward. `windows` are the readings so far of each stay."""

    database: Database
    ward_id: str
    windows: dict[str, tuple[Reading, ...]] = field(default_factory=dict)

    async def staff(self, role: str = "clinician") -> Principal:
        staff_id = new_id()
        row = {
            "id": staff_id, "email": f"{staff_id}@example.org", "name": "Sam", "password_hash": "x",
            "administrator": False, "active": True, "created_at": BEGAN,
        }  # fmt: skip
        async with writing(self.database) as session:
            await insert_staff(session, row, {self.ward_id: role})
        async with reading(self.database) as session:
            found = await find_principal(session, "staff", staff_id)
        assert found is not None
        return found

    async def admit(self, nhs_number: str | None = None) -> Stay:
        stay = Stay(self.ward_id, new_id(), new_id())
        async with writing(self.database) as session:
            await session.execute(
                insert(METADATA.tables["patient"]).values(
                    ward_id=stay.ward_id, id=stay.patient_id, family_name=FAMILY_NAME, given_name="Robin",
                    birth_date=date(1950, 5, 17), contact_hold=False, deceased=False, version=1,
                    created_at=BEGAN,
                )
            )  # fmt: skip
            if nhs_number:
                await session.execute(
                    insert(METADATA.tables["patient_identifier"]).values(
                        ward_id=stay.ward_id,
                        system="nhs_number",
                        value=nhs_number,
                        patient_id=stay.patient_id,
                    )
                )
            await session.execute(
                insert(METADATA.tables["stay"]).values(
                    ward_id=stay.ward_id, id=stay.id, patient_id=stay.patient_id, status="active",
                    admitted_at=BEGAN, sixteen_on=date(1966, 5, 17), plan_version=1, version=1,
                    due_at=END_OF_TIME,  # time passes where a test says so
                )
            )  # fmt: skip
        return stay

    async def send(self, stay: Stay, spo2: float, at: datetime, **more: Any) -> Written:
        """One reading of one stay, judged and written."""
        return await self.send_all({stay: [observed(spo2, at, **more)]})

    async def send_all(self, arrivals: Mapping[Stay, Sequence[Reading]]) -> Written:
        """Readings of several stays in one transaction."""
        async with self.database.writes.begin() as connection:
            for stay in sorted(arrivals, key=lambda stay: stay.id):
                await lock_stay(connection, stay.ward_id, stay.id)
            stored = await load_unresolved(connection, [(stay.ward_id, stay.id) for stay in arrivals])
            writes = []
            for stay, readings in arrivals.items():
                mine = stored.get(stay.id, {})
                record = Record(
                    window=self.windows.get(stay.id, ()),
                    episodes={family: alert.episode for family, alert in mine.items()},
                )
                judged = judge(record, readings)
                self.windows[stay.id] = (*self.windows.get(stay.id, ()), *readings)
                writes.append(
                    StayChanges(stay.ward_id, stay.id, stay.patient_id, mine, judged.changes, judged.episodes)
                )
            return await write_changes(connection, writes)

    async def position(self) -> Position:
        positions = Positions(self.database)
        found = await positions.current([self.ward_id])
        await positions.close()
        return found[self.ward_id]

    async def events(self) -> list[Any]:
        event = METADATA.tables["event"]
        async with self.database.reads.connect() as connection:
            found = await connection.execute(
                event.select().where(event.c.ward_id == self.ward_id).order_by(event.c.number)
            )
            return list(found)

    async def alerts(self) -> list[Any]:
        alert = METADATA.tables["alert"]
        async with self.database.reads.connect() as connection:
            found = await connection.execute(
                alert.select().where(alert.c.ward_id == self.ward_id).order_by(alert.c.opened_at, alert.c.id)
            )
            return list(found)


async def open_scene(database: Database) -> Scene:
    async with writing(database) as session:
        ward = await open_ward(session, None, BEGAN, name="Ash")
    return Scene(database, ward.id)


def observed(spo2: float, at: datetime, **more: Any) -> Reading:
    """A good resting reading received when it was observed."""
    return Reading(id=new_id(), observed_at=at, received_at=at, spo2=spo2, quality=Quality.GOOD, **more)


def minutes(count: float) -> datetime:
    """So many minutes after the scene began."""
    return BEGAN + timedelta(minutes=count)


async def token(app: FastAPI, who: Principal, scopes: frozenset[str] | None = None) -> dict[str, str]:
    """The header of somebody signed in."""
    given = await app.state.desk.admit(who, who.scopes if scopes is None else scopes)
    return {"Authorization": f"Bearer {given.access_token}"}


async def everywhere(scenes: Sequence[Scene]) -> Principal:
    """A clinician on the wards of all these scenes, which share a database."""
    who = await scenes[0].staff()
    rows = [{"ward_id": each.ward_id, "staff_id": who.id, "role": "clinician"} for each in scenes[1:]]
    async with writing(scenes[0].database) as session:
        await session.execute(insert(METADATA.tables["membership"]), rows)
    async with reading(scenes[0].database) as session:
        found = await find_principal(session, "staff", who.id)
    assert found is not None
    return found


async def red(scene: Scene, stay: Stay) -> str:
    """A critical alert's id."""
    return (await scene.send(stay, 90, minutes(0))).alert_ids[stay.id][0]


async def post(
    client: httpx.AsyncClient, header: dict[str, str], alert_id: str, verb: str, **body: Any
) -> httpx.Response:
    """What a person does about an alert."""
    return await client.post(f"/v1/alerts/{alert_id}/{verb}", headers=header, json=body)
