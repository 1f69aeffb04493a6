"""A device that measures every minute: what is loaded of its stay stays bounded, whatever it has sent."""

from datetime import datetime, timedelta

from fastapi import FastAPI

from alerts.judge import WINDOW, WINDOW_READINGS
from service.readings.background import load_background
from tests.support.time import START
from tests.support.wards import Partner, reading


async def loaded(app: FastAPI, partner: Partner, stay_id: str, since: datetime) -> list[datetime]:
    async with app.state.database.reads.connect() as connection:
        known = await load_background(connection, {(partner.ward_id, stay_id): since}, ())
    return [each.observed_at for each in known.windows[0]]


async def test_of_a_long_window_the_newest_readings_are_loaded(app: FastAPI, partner: Partner) -> None:
    stay_id = await partner.admit()
    sent = [START - timedelta(minutes=n) for n in range(1, WINDOW_READINGS + 101)]
    rows = [reading(stay_id, spo2=97, observed_at=at.isoformat()) for at in sent]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert answer.json()["created"] == len(sent)
    assert await loaded(app, partner, stay_id, START - WINDOW) == sorted(sent[:WINDOW_READINGS])
    # A reading that came late is judged after those before it, and what is newer than it is known too.
    late = sent[60]
    assert await loaded(app, partner, stay_id, late - WINDOW) == sorted(sent[: 61 + WINDOW_READINGS])
