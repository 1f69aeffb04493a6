"""Synthetic wards for the benchmarks, written straight into the tables, and the requests that are sent to them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import insert

from alerts.rule_set import DEFAULT
from service.access import accounts
from service.clock import real_now
from service.fields import new_id
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA

SCOPES = ("readings:write", "readings:read", "alerts:read", "patients:read")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made: wards, stays, and a client that may work on all of them."""

    ward_ids: list[str]
    stay_ids: list[str]
    client_id: str
    client_secret: str


async def seed(database: Database, stays: int, wards: int, also: Sequence[str] = ()) -> Seeded:
    """Wards with one active stay for each of so many patients; the client may work on the wards in `also` too."""
    now = real_now()
    ward_ids = [new_id() for _ in range(wards)]
    async with writing(database) as session:
        for table, rows in (
            ("ward", [{"id": w, "name": f"Ward {n}", "created_at": now} for n, w in enumerate(ward_ids)]),
            ("ward_feed", [{"ward_id": ward_id, "epoch": new_id()} for ward_id in ward_ids]),
        ):
            await session.execute(insert(METADATA.tables[table]), rows)
        client_id, secret = await accounts.add_client(
            session, name="Benchmark", scopes=SCOPES, ward_ids=[*ward_ids, *also], at=now
        )
    return Seeded(ward_ids, await admit(database, ward_ids, stays), client_id, secret)


async def admit(database: Database, ward_ids: Sequence[str], stays: int) -> list[str]:
    """So many new stays, spread over the wards, admitted two days ago; their ids."""
    now = real_now()
    patients, stay_rows, plans = [], [], []
    for number in range(stays):
        ward_id, patient_id, stay_id = ward_ids[number % len(ward_ids)], new_id(), new_id()
        patients.append(_patient(ward_id, patient_id, number, now))
        stay_rows.append(_stay(ward_id, stay_id, patient_id, now))
        plans.append(_plan(ward_id, stay_id, now))
    async with writing(database) as session:
        for table, rows in (("patient", patients), ("stay", stay_rows), ("plan", plans)):
            await session.execute(insert(METADATA.tables[table]), rows)
    return [row["id"] for row in stay_rows]


def _patient(ward_id: str, patient_id: str, number: int, now: datetime) -> dict[str, Any]:
    return {
        "ward_id": ward_id,
        "id": patient_id,
        "family_name": f"Family{number}",
        "given_name": "Given",
        "birth_date": date(1950, 1, 1),
        "created_at": now,
    }


def _stay(ward_id: str, stay_id: str, patient_id: str, now: datetime) -> dict[str, Any]:
    return {
        "ward_id": ward_id,
        "id": stay_id,
        "patient_id": patient_id,
        "admitted_at": now - timedelta(days=2),
        "sixteen_on": date(1966, 1, 1),
        "due_at": now + timedelta(hours=1),
    }


def _plan(ward_id: str, stay_id: str, now: datetime) -> dict[str, Any]:
    return {
        "ward_id": ward_id,
        "stay_id": stay_id,
        "version": 1,
        "baseline_spo2": 97,
        "reading_times": _reading_times(now),
        "created_at": now,
    }


def _reading_times(now: datetime) -> list[str]:
    """None of them is being missed while it is measured: the last was filled hours ago, the next is hours away."""
    here = now.astimezone(ZoneInfo("Europe/London"))
    return sorted((here + timedelta(hours=hours)).strftime("%H:%M") for hours in (3, 11, 19))


async def history(database: Database, ward_ids: Sequence[str], stay_ids: Sequence[str], each: int = 11) -> None:
    """What each stay has behind it: so many unremarkable readings, spread evenly over the last 44 hours."""
    chance, now = random.Random(77), real_now()
    gap = timedelta(hours=44) / each
    for start in range(0, len(stay_ids), 500):
        rows = []
        for place, stay_id in enumerate(stay_ids[start : start + 500], start):
            for number in range(each):
                at = now - timedelta(hours=45) + number * gap
                rows.append(_stored(ward_ids[place % len(ward_ids)], stay_id, at, chance))
        async with writing(database) as session:
            await session.execute(insert(METADATA.tables["reading"]), rows)


def _stored(ward_id: str, stay_id: str, at: datetime, chance: random.Random) -> dict[str, Any]:
    """A reading as its row."""
    return {
        "ward_id": ward_id,
        "id": new_id(),
        "stay_id": stay_id,
        "observed_at": at,
        "observed_offset": 0,
        "received_at": at,
        "client_reading_id": None,
        "sender_id": ward_id,
        "spo2": chance.randint(96, 99),
        "pulse_rate": chance.randint(60, 89),
        "respiratory_rate": chance.randint(12, 20),
        "oxygen_flow": 0,
        "context": "rest",
        "breathlessness": 1,
        "feeling": "same",
        "symptoms": "",
        "quality": "good",
        "source": "app",
        "late": False,
        "plan_version": 1,
        "rule_set_version": DEFAULT.version,
    }


def readings(
    stay_ids: list[str], count: int, seed: int, *, each: int = 1, spo2: int | None = None, in_turn: bool = False
) -> list[dict[str, Any]]:
    """Readings of a mixed ward, observed in the last minutes: one stay in twelve is unwell (88-95 %), the rest are
    not (95-99 %). `each`: so many of one stay, then of another. `spo2` gives every reading that value instead.
    `in_turn`: of one stay after the other and earlier than the rest. Those of a stay follow one another in time."""
    chance = random.Random(seed)
    start = real_now() - timedelta(minutes=20 if in_turn else 10)
    step = timedelta(minutes=10) / max(1, count)
    rows = []
    chosen = 0
    for number in range(count):
        if number % each == 0:
            chosen = number % len(stay_ids) if in_turn else chance.randrange(len(stay_ids))
        value = spo2 or _spo2(chosen, chance)
        rows.append(_reading(stay_ids[chosen], f"{seed}-{number}", start + number * step, value, chance))
    return rows


def _spo2(chosen: int, chance: random.Random) -> int:
    return chance.randint(88, 95) if chosen % 12 == 0 else chance.randint(95, 99)


def _reading(stay_id: str, key: str, at: datetime, spo2: int, chance: random.Random) -> dict[str, Any]:
    return {
        "stay_id": stay_id,
        "client_reading_id": key,
        "observed_at": at.isoformat(),
        "client_sent_at": at.isoformat(),
        "spo2": spo2,
        "pulse_rate": chance.randint(60, 89),
        "respiratory_rate": chance.randint(12, 20),
        "systolic_bp": chance.randint(112, 140),
        "diastolic_bp": 78,
        "consciousness": "alert",
        "oxygen_flow": 0,
        "context": "rest",
        "breathlessness": 1,
        "feeling": "same",
        "symptoms": [],
        "perfusion_index": 2.1,
        "signal_quality": "good",
        "device": {"id": "SN123", "model": "PO-1"},
        "source": "app",
    }


def body(value: Any) -> bytes:
    """A request body."""
    return orjson.dumps(value)
