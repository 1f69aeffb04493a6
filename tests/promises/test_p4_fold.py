"""P4: what the service made of a stay, reading by reading, is what the engine makes of its whole history."""

import random
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from typing import Any

import pytest

from alerts.fold import PlanEvent, fold
from alerts.limits import ServiceHours
from alerts.plan import Plan
from alerts.record import Record
from alerts.watch import begin_watch
from service.readings.plans import plan_of
from service.readings.windows import reading_of
from service.storage.engine import Database
from tests.alerts.stay import stored
from tests.support.time import SettableClock
from tests.support.wards import Partner, reading, rows_of

PLANS: dict[int, dict[str, Any]] = {
    1: {},
    2: {"profile": "hypercapnic", "prescribed_oxygen_flow": 1.0, "usual_breathlessness": 3.0},
    3: {"baseline_spo2": 97},
}


def observation(dice: random.Random, at: datetime) -> dict[str, Any]:
    """A reading as they come: mostly now, some late or early, some poor, some without SpO2."""
    fields: dict[str, Any] = {"observed_at": at + timedelta(minutes=dice.choice((0, 0, 0, -5, -90, -400, 4, 30)))}
    if dice.random() < 0.85:
        fields["spo2"] = round(dice.gauss(93, 3), dice.choice((0, 1)))
    if dice.random() < 0.5:
        fields["breathlessness"] = dice.choice((0, 1, 3, 6, 8))
    if dice.random() < 0.4:
        fields |= {"respiratory_rate": dice.randint(12, 28), "pulse_rate": dice.randint(55, 135)}
    if dice.random() < 0.2:
        fields |= {"systolic_bp": dice.randint(85, 180), "temperature": round(dice.uniform(34.5, 39.5), 2)}
    if dice.random() < 0.2:
        fields["signal_quality"] = dice.choice(("good", "poor"))
    if dice.random() < 0.15:
        fields["context"] = dice.choice(("sleep", "unknown", "post_exertion_40_steps"))
    if dice.random() < 0.1:
        fields["symptoms"] = dice.choice(([], ["chest_pain"]))
    if dice.random() < 0.2:
        fields["oxygen_flow"] = dice.choice((0, 1, 2.5))
    if fields.keys() <= {"observed_at", "signal_quality", "context", "oxygen_flow"}:
        fields["feeling"] = "worse"
    return fields


async def send_at_random(partner: Partner, stay_id: str, clock: SettableClock, seed: int) -> None:
    """Single readings and small batches over some days, with repeats."""
    dice = random.Random(seed)
    sent: list[dict[str, Any]] = []
    for _ in range(40):
        clock.advance(minutes=dice.choice((1, 4, 10, 16, 45, 70, 300, 700)))
        rows = [reading(stay_id, **observation(dice, clock.now())) for _ in range(dice.choice((1, 1, 1, 3)))]
        if sent and dice.random() < 0.2:
            rows.append(dice.choice(sent))
        answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
        assert answer.json()["rejected"] == 0, answer.text
        sent += rows


@pytest.mark.parametrize("seed", PLANS)
async def test_going_on_from_checkpoints_agrees_with_folding_the_whole_history(
    partner: Partner, database: Database, clock: SettableClock, seed: int
) -> None:
    stay_id = await partner.admit(**PLANS[seed])
    await send_at_random(partner, stay_id, clock, seed)
    rows = await rows_of(database, "reading", stay_id=stay_id)
    (stay,) = await rows_of(database, "stay", id=stay_id)
    readings = [reading_of(row._mapping) for row in rows]
    start = Record(
        plan=Plan(**PLANS[seed]),
        service_hours=ServiceHours(zone="Europe/London"),
        sixteen_on=stay.sixteen_on,
        watch=begin_watch(stay.admitted_at),
    )
    plans = sorted(await rows_of(database, "plan", stay_id=stay_id), key=attrgetter("version"))
    since = [(row.created_at, plan_of(row._mapping)) for row in plans[1:]]
    folded = fold(start, readings, plans=[PlanEvent(at, plan) for at, plan in since if plan is not None])

    alerts = await rows_of(database, "alert", stay_id=stay_id)
    unresolved = {row.family: row.machine for row in alerts if row.state != "resolved"}
    assert unresolved == {str(family): stored(episode) for family, episode in folded.episodes.items()}

    told = [
        (event["data"]["family"], event["type"], event["data"]["transition"], event["data"]["reading_id"])
        for event in await partner.events()
        if event["type"].startswith("alert.")
    ]
    decided = [
        (str(change.family), f"alert.{change.kind}", change.transition, change.reading_id) for change in folded.changes
    ]
    # What one reading does to several families has no order of its own.
    assert sorted(told, key=itemgetter(0)) == sorted(decided, key=itemgetter(0))
    assert len(told) > 10, "the history is too quiet to show anything"
    severities = {row.id: row.severity for row in rows}
    assert [severities[each.reading.id] for each in folded.evaluations] == [
        None if each.severity is None else int(each.severity) for each in folded.evaluations
    ]
