"""P3: one episode, one alert, whoever sends at the same time and over however many replicas."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest

from service.settings import Settings
from service.storage.engine import Database
from tests.conftest import started
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, calling, open_partner, rows_of, sign_in

CLIENTS = 50
PER_CLIENT = 4


def bad_in_every_family(number: int) -> dict[str, Any]:
    """Red oxygen, a red flag, an abnormal pressure, and a clock that runs ahead."""
    return {
        "spo2": 85 + number % 5,
        "breathlessness": 8,
        "systolic_bp": 85,
        "respiratory_rate": 26,
        "oxygen_flow": 4,
        "observed_at": START.replace(hour=9),
    }


async def storm(clients: list[Partner], stay_id: str) -> list[str]:
    """Everybody at once for one stay; the ids of the readings that were taken."""

    async def send(client: Partner, sender: int) -> list[str]:
        found = []
        for number in range(PER_CLIENT):
            name = f"{sender}-{number}"
            said = await client.kept(stay_id, client_reading_id=name, **bad_in_every_family(number))
            found.append(said["reading_id"])
        return found

    sent = await asyncio.gather(*(send(client, sender) for sender, client in enumerate(clients)))
    return [reading_id for each in sent for reading_id in each]


async def assert_one_alert_a_family(database: Database, stay_id: str, ids: list[str]) -> None:
    assert len(set(ids)) == len(ids) == CLIENTS * PER_CLIENT
    stored = await rows_of(database, "reading", stay_id=stay_id)
    assert {row.id for row in stored} == set(ids)
    assert len({row.received_at for row in stored}) == len(stored), "receipts of a stay are in strict order"
    alerts = await rows_of(database, "alert", stay_id=stay_id)
    assert Counter(row.family for row in alerts) == dict.fromkeys(
        ("oxygen", "symptoms", "vitals", "early_warning", "technical", "plan"), 1
    )
    (oxygen,) = (row for row in alerts if row.family == "oxygen")
    assert oxygen.reading_count == len(ids)
    numbers = sorted(row.number for row in await rows_of(database, "event"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.hazard("H6")
async def test_fifty_clients_at_once_open_one_alert_a_family(partner: Partner, database: Database) -> None:
    stay_id = await partner.admit()
    ids = await storm([partner] * CLIENTS, stay_id)
    await assert_one_alert_a_family(database, stay_id, ids)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_three_replicas_at_once_open_one_alert_a_family(
    partner: Partner, database: Database, settings: Settings, clock: SettableClock
) -> None:
    stay_id = await partner.admit()
    async with AsyncExitStack() as stack:
        replicas = [partner]
        for _ in range(2):
            app = await stack.enter_async_context(started(settings, clock))
            http = await stack.enter_async_context(calling(app))
            replicas.append(replace(partner, http=http))
        ids = await storm([replicas[n % 3] for n in range(CLIENTS)], stay_id)
        await assert_one_alert_a_family(database, stay_id, ids)


async def test_a_person_who_acknowledges_in_the_storm_is_not_overwritten(
    partner: Partner, database: Database, http: httpx.AsyncClient
) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=90, breathlessness=1)
    (alert,) = await partner.alerts(stay_id)
    path = f"/v1/alerts/{alert['id']}"
    nurse = await open_partner(http, database, partner.ward_id)

    async def acknowledge() -> None:
        async with asyncio.timeout(60):
            while True:
                version = (await nurse.get(path))["version"]
                answer = await nurse.ask("POST", f"{path}/acknowledge", {"version": version, "note": "On my way."})
                if answer.status_code != 412:
                    assert answer.status_code == 200, answer.text
                    return

    async def send(number: int) -> None:
        await partner.kept(stay_id, spo2=90, breathlessness=1, client_reading_id=str(number))

    await asyncio.gather(*(send(number) for number in range(20)), acknowledge())
    await asyncio.gather(*(send(number) for number in range(20, 40)))
    seen = await nurse.get(path)
    assert seen["acknowledged_by"] == nurse.client_id
    assert seen["reading_count"] == 41
    story = (await nurse.get(f"{path}/events"))["items"]
    assert [event["note"] for event in story if event["type"] == "alert.acknowledged"] == ["On my way."]


async def test_a_token_of_each_replica_is_good_at_the_others(
    partner: Partner, settings: Settings, clock: SettableClock
) -> None:
    async with started(settings, clock) as app, calling(app) as http:
        other = replace(partner, http=http, token=await sign_in(http, partner.client_id, partner.secret))
        stay_id = await replace(partner, http=http).admit()
        await replace(other, http=partner.http).kept(stay_id, spo2=97)
