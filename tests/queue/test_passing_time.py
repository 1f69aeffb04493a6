"""What fell due before a person acts comes first, as in the fold of the stay's history, even before a timer looked."""

import httpx
import pytest
from fastapi import FastAPI

from service.errors import Overloaded
from tests.access.hospital import Headers, Hospital
from tests.support.time import SettableClock
from tests.support.wards import Partner


@pytest.fixture
async def nurse(app: FastAPI, client: httpx.AsyncClient, partner: Partner) -> Headers:
    return await Hospital(app, client).clinician(partner.ward_id)


async def overdue(partner: Partner, clock: SettableClock) -> str:
    """The id of a critical alert that would have been confirmed a minute ago."""
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=90, breathlessness=1)
    clock.advance(minutes=16)
    (alert,) = await partner.alerts(stay_id)
    assert alert["confirmed"] is False
    return str(alert["id"])


async def contact(partner: Partner, nurse: Headers, alert_id: str) -> httpx.Response:
    body = {"method": "phone", "result": "reached"}
    return await partner.http.post(f"/v1/alerts/{alert_id}/contact", headers=nurse, json=body)


async def test_what_fell_due_is_told_before_what_a_person_did(
    partner: Partner, nurse: Headers, clock: SettableClock
) -> None:
    alert_id = await overdue(partner, clock)
    assert (await contact(partner, nurse, alert_id)).status_code == 200
    assert await partner.story(alert_id) == [("opened", "08:00"), ("confirmed", "08:15"), ("contacted", "08:16")]


async def test_who_saw_the_alert_before_sees_what_has_become_of_it_first(
    partner: Partner, nurse: Headers, clock: SettableClock
) -> None:
    alert_id = await overdue(partner, clock)
    path = f"/v1/alerts/{alert_id}/acknowledge"
    stale = await partner.http.post(path, headers=nurse, json={"version": 1})
    assert (stale.status_code, stale.json()["current"]["confirmed"]) == (412, True)
    taken = await partner.http.post(path, headers=nurse, json={"version": stale.json()["current"]["version"]})
    assert taken.status_code == 200


async def test_a_full_intake_keeps_nobody_from_acting(
    app: FastAPI, partner: Partner, nurse: Headers, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Overloaded

    alert_id = await overdue(partner, clock)
    with monkeypatch.context() as now:
        now.setattr(app.state, "look_at", full)
        assert (await contact(partner, nurse, alert_id)).status_code == 200
    await app.state.timekeeper.catch_up()
    told = [what for what, _ in await partner.story(alert_id)]
    assert told.index("contacted") < told.index("confirmed")
