"""A pause that runs out: the stay goes on by itself, once, and the ward's feed tells."""

from datetime import timedelta

from fastapi import FastAPI

from service.fields import utc_text
from tests.support.time import SettableClock
from tests.support.wards import Partner


async def test_a_stay_goes_on_when_its_pause_runs_out(app: FastAPI, partner: Partner, clock: SettableClock) -> None:
    stays = [await partner.admit() for _ in range(2)]
    until = clock.now() + timedelta(hours=2)
    for stay_id in stays:
        body = {"until": utc_text(until), "reason": "at the hospital", "version": 1}
        assert (await partner.ask("POST", f"/v1/stays/{stay_id}/pause", body)).status_code == 200
    clock.set(until - timedelta(seconds=1))
    await app.state.timekeeper.catch_up()
    assert {(await partner.get(f"/v1/stays/{stay_id}"))["status"] for stay_id in stays} == {"paused"}
    clock.advance(hours=1)
    for _ in range(2):
        await app.state.timekeeper.catch_up()
    for stay_id in stays:
        stay = await partner.get(f"/v1/stays/{stay_id}")
        assert (stay["status"], stay["version"]) == ("active", 3)
    resumed = [event for event in await partner.events() if event["type"] == "stay.resumed"]
    assert {(each["subject"]["id"], each["at"], each["actor_id"]) for each in resumed} == {
        (stay_id, utc_text(until), None) for stay_id in stays
    }
    assert len(resumed) == 2
