"""Stored stays, replayed: what the service raised is what a replay raises, and nothing is written."""

from datetime import datetime, timedelta

import pytest

from alerts.record import Record
from alerts.replay import Team, replay
from alerts.rule_set import DEFAULT, RuleSet
from service.errors import NotFound
from service.sandbox.stays import Tape
from service.sandbox.stored import NoReadings, load_stays
from service.sandbox.trying import try_recorded
from tests.support.time import SettableClock
from tests.support.wards import Partner, everything_in

NOBODY = Team(acknowledges_after=timedelta(days=999))
LOWER = {"profile": "custom", "red_at": 88, "amber_at": 90, "reason": "usual", "review_on": "2027-01-01"}


async def lived(partner: Partner, clock: SettableClock, **plan) -> str:
    """A stay with a fall that gets worse, two refused readings, and a red flag."""
    stay_id = await partner.admit(**plan)
    for minutes, values in (
        (1, {"spo2": 97}),
        (60, {"spo2": 93, "breathlessness": 0}),
        (20, {"spo2": 91}),
        (5, {"spo2": 300}),
        (1, {"spo2": 300}),
        (60, {"spo2": 90, "respiratory_rate": 26, "symptoms": ["chest_pain"]}),
    ):
        await partner.send(stay_id, observed_at=clock.advance(minutes=minutes).isoformat(), **values)
    return stay_id


async def test_a_stored_stay_raises_again_what_it_raised(partner, clock, database_url):
    stay_id = await lived(partner, clock, baseline_spo2=97)
    (stay,) = await load_stays(database_url, stay_id=stay_id)
    again = replay(Tape(stay.arrivals), Record(plan=stay.plan), NOBODY, stay.until)
    stored = {
        (alert["family"], alert["severity"], datetime.fromisoformat(alert["opened_at"]))
        for alert in await partner.alerts(stay_id)
    }
    assert len(stored) >= 4
    standing = [alert for alert in again.raised if alert.closed_at is None]
    assert {(alert.family, alert.severity.word, alert.opened_at) for alert in standing} == stored
    assert [alert.rule_id for alert in again.raised if alert not in standing] == ["R20"]
    assert again.refused == 2


async def test_a_plan_that_came_later_holds_from_then_on(partner, clock, database_url):
    stay_id = await partner.admit()
    clock.advance(minutes=5)
    version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
    answer = await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", {**LOWER, "version": version})
    assert answer.is_success, answer.text
    await partner.send(stay_id, observed_at=clock.advance(minutes=5).isoformat(), spo2=92)
    (stay,) = await load_stays(database_url, stay_id=stay_id)
    assert try_recorded((DEFAULT,), stay)[0].replayed.raised == ()


async def test_a_ward_is_replayed_stay_by_stay_under_several_rule_sets_and_nothing_is_written(
    partner, clock, database, database_url
):
    stays = [await lived(partner, clock) for _ in range(2)]
    before = await everything_in(database)
    found = await load_stays(database_url, ward_id=partner.ward_id)
    assert [stay.stay_id for stay in found] == stays
    milder = RuleSet(version="milder", standard_red_at=89, standard_amber_at=91)
    for stay in found:
        default, other = try_recorded((DEFAULT, milder), stay)
        assert len(default.replayed.calls) > len(other.replayed.calls)
    assert await everything_in(database) == before


@pytest.mark.parametrize("named", [{"stay_id": "nonsense"}, {"ward_id": "01900000-0000-7000-8000-000000000000"}])
async def test_what_is_not_there_is_said(named, app, database_url):
    with pytest.raises(NotFound):
        await load_stays(database_url, **named)


async def test_a_ward_without_readings_is_refused(partner, database_url):
    await partner.admit()
    with pytest.raises(NoReadings):
        await load_stays(database_url, ward_id=partner.ward_id)
