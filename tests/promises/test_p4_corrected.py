"""P4: with answers, corrections and people's verbs too, every alert is what the engine makes of the whole history."""

import random
from datetime import datetime
from operator import attrgetter
from typing import Any

import pytest

from alerts.correct import Closing, correct, refold, set_back
from alerts.fold import HumanEvent, PlanEvent, Verb, act
from alerts.judge import advance, change_plan, judge
from alerts.limits import ServiceHours
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.severity import Family
from alerts.watch import begin_watch
from service.readings.plans import plan_of
from service.readings.windows import reading_of
from service.storage.engine import Database
from tests.alerts.stay import stored
from tests.promises.test_p4_fold import observation
from tests.support.time import SettableClock
from tests.support.wards import Partner, reading, rows_of


class Mirror:
    """The stay as the pure engine sees it, each correction judged from the whole history, not from a first breach."""

    def __init__(self, sixteen_on: Any, admitted_at: datetime) -> None:
        self.start = Record(plan=Plan(), service_hours=ServiceHours(zone="Europe/London"), sixteen_on=sixteen_on)
        self.admitted_at = admitted_at
        self.record = self.start._replace(watch=begin_watch(admitted_at))
        self.readings: dict[str, Reading] = {}
        self.closings: list[Closing] = []
        self.plans: list[PlanEvent] = []

    def in_order(self) -> list[str]:
        """The readings by receipt and content: ids made in the same instant are in no order, and a seed must tell one
        story."""
        found = sorted(self.readings.values(), key=lambda each: (each.received_at, repr(each[1:])))
        return [each.id for each in found]

    def receives(self, together: list[Reading]) -> None:
        self.record = judge(self.record, together).record
        self.readings |= {each.id: each for each in together}

    def plans_are(self, plans: list[PlanEvent]) -> None:
        """Also the one that the machine wrote, with the usual SpO2."""
        for new in plans[len(self.plans) :]:
            self.record = change_plan(self.record, new.plan, new.at).record
        self.plans = plans

    def acts(self, event: HumanEvent) -> None:
        self.record = act(self.record, event, {}).record
        if event.verb == Verb.RESOLVE:
            self.closings.append(Closing(event.at, event.family))

    def corrects(self, reading_id: str, at: datetime) -> None:
        # What time has brought about by now comes first.
        self.record = advance(self.record, at).record
        del self.readings[reading_id]
        left = list(self.readings.values())
        start = self.start._replace(watch=begin_watch(self.admitted_at))
        without = refold(start, left, self.plans, [], self.closings, at)
        episodes = correct(self.record.episodes, without.episodes, at, reading_id, self.record.human_limits).episodes
        assert self.record.watch is not None
        self.record = self.record._replace(
            episodes=episodes, window=tuple(left), watch=set_back(self.record.watch, without),
            newest_observed_at=None, newest_resting_at=None,
        )  # fmt: skip


async def stored_readings(database: Database, stay_id: str) -> dict[str, Reading]:
    rows = await rows_of(database, "reading", stay_id=stay_id)
    return {row.id: reading_of(row._mapping) for row in rows}


async def later_plans(database: Database, stay_id: str) -> list[PlanEvent]:
    rows = sorted(await rows_of(database, "plan", stay_id=stay_id), key=attrgetter("version"))
    return [PlanEvent(row.created_at, plan_of(row._mapping) or Plan()) for row in rows[1:]]


@pytest.mark.parametrize("seed", range(3))
async def test_every_alert_is_what_the_whole_history_makes_of_it(
    partner: Partner, database: Database, clock: SettableClock, seed: int
) -> None:
    stay_id = await partner.admit()
    (stay,) = await rows_of(database, "stay", id=stay_id)
    mirror, dice, corrected = Mirror(stay.sixteen_on, stay.admitted_at), random.Random(seed), 0
    for _ in range(25):
        clock.advance(minutes=dice.choice((4, 10, 16, 45, 70, 300)))
        what = dice.choice(("reads", "reads", "reads", "answers", "corrects", "acts"))
        known = await stored_readings(database, stay_id)
        if what == "corrects" and mirror.readings:
            wrong = dice.choice(mirror.in_order())
            await ask(partner, f"/v1/readings/{wrong}/entered-in-error", {"reason": "typed wrongly"})
            (row,) = await rows_of(database, "reading", id=wrong)
            mirror.corrects(wrong, row.entered_in_error_at)
            corrected += 1
        elif what == "acts":
            await somebody_acts(partner, stay_id, mirror, dice, clock.now())
        else:
            if what == "answers" and mirror.readings:
                to = dice.choice(mirror.in_order())
                await ask(partner, f"/v1/readings/{to}/answers", {"breathlessness": dice.choice((0, 2, 4, 7))})
            else:
                rows = [reading(stay_id, **observation(dice, clock.now())) for _ in range(dice.choice((1, 1, 3)))]
                await ask(partner, "/v1/readings/batch", {"readings": rows})
            new = (await stored_readings(database, stay_id)).items() - known.items()
            mirror.receives([each for _, each in new])
        mirror.plans_are(await later_plans(database, stay_id))
    alerts = await rows_of(database, "alert", stay_id=stay_id)
    unresolved = {row.family: row.machine for row in alerts if row.state != "resolved"}
    assert unresolved == {str(family): stored(episode) for family, episode in mirror.record.episodes.items()}
    assert corrected > 1, "the history is too quiet to show anything"


async def ask(partner: Partner, path: str, body: dict[str, Any]) -> Any:
    answer = await partner.ask("POST", path, body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def somebody_acts(partner: Partner, stay_id: str, mirror: Mirror, dice: random.Random, at: datetime) -> None:
    """Acknowledge or close one alert, if one stands."""
    standing = [each for each in await partner.alerts(stay_id) if each["state"] != "acknowledged"]
    if not standing:
        return
    alert, verb = dice.choice(standing), dice.choice((Verb.ACKNOWLEDGE, Verb.RESOLVE))
    family = Family(alert["family"])
    path, body = f"/v1/alerts/{alert['id']}/{verb}", {"outcome": "other"} if verb == Verb.RESOLVE else {}
    answer = await partner.ask("POST", path, {**body, "version": alert["version"]})
    if answer.status_code == 412:  # something fell due first: look again
        alert = {**answer.json()["current"], "was": alert["state"]}
        if alert["state"] != alert["was"]:
            return
        answer = await partner.ask("POST", path, {**body, "version": alert["version"]})
    assert answer.status_code == 200, answer.text
    mirror.acts(HumanEvent(at, family, verb))
