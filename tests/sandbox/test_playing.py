"""The simulated ward against the real service: what it is there to show, it shows."""

from datetime import timedelta

import pytest

from service.sandbox.board import reason
from service.sandbox.caller import Caller
from service.sandbox.driver import Played, admit_all, follow, send_due, send_history
from service.sandbox.nurse import LOOKS_EVERY, Nurse, put_on_duty
from service.sandbox.staffing import add_administrator, add_team
from service.sandbox.ward import make_ward
from tests.support.time import START

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FAMILIES = {"oxygen", "over_oxygenation", "early_warning", "symptoms", "vitals", "technical"}


async def test_five_clinical_hours_show_every_family_and_two_show_silent_hypoxia(app, client, clock, database_url):
    administrator = await add_administrator(database_url, START)
    opened = await Caller(client, administrator.form).post("/v1/wards", {"name": "Demo"})
    played = Played(opened["id"])
    lead, clinician, partner = await add_team(database_url, played.ward_id, START)
    sender, reader = Caller(client, partner.form), Caller(client, clinician.form)
    await put_on_duty(Caller(client, lead.form), reader, played.ward_id)
    nurse, looks_at = Nurse(reader, played.ward_id, 1), START
    ward = make_ward(24, 1, clock.now(), timedelta(minutes=20))
    stays = await admit_all(sender, ward, played)
    await send_history(sender, ward, stays, clock, played)
    assert played.refused.total() == 0

    while ward.next_at < START + timedelta(hours=5):
        clock.set(ward.next_at)
        await send_due(sender, ward, stays, clock, played)
        await app.state.timekeeper.catch_up()
        if clock.now() >= looks_at:
            await nurse.look()
            looks_at = clock.now() + LOOKS_EVERY
    await follow(reader, played)

    events = list(played.new_events)
    silent = [event for event in events if event["data"]["title"] == "silent_hypoxia"]
    assert "silent hypoxia. The patient may feel well" in reason(silent[0])
    assert all("Cleared by: " in reason(event) for event in silent if event["type"] == "alert.opened")
    assert all(reason(event) for event in events if event["type"] == "alert.opened")
    assert not any(reason(event) for event in events if event["type"] != "alert.opened")
    assert silent[0]["at"] < (START + timedelta(hours=2)).isoformat()
    assert set(played.families) >= FAMILIES
    acts = {event["type"] for event in events}
    assert acts >= {"alert.acknowledged", "alert.contacted", "alert.resolved", "alert.escalated", "alert.ack_expired"}
    assert "alert.uncovered" not in acts, "a nurse is on duty"
    assert played.kept > 200
    assert played.replayed > 0
    assert set(played.refused) == {"invalid /spo2 less_than_equal"}
    unresolved = (await reader.get("/v1/alerts", ward_id=played.ward_id, limit="200"))["items"]
    assert sum(played.open_by_severity.values()) == len(unresolved)
