"""The way into the group commit: finds a stay's ward, hands readings to the committer, answers after the commit."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from fastapi import Request

from alerts.plan import Plan
from service import metrics
from service.clock import Clock
from service.cover.inforce import Cover, Covers
from service.errors import ReadingDiffers
from service.feed.positions import Wakeups
from service.fields import NIL_ID
from service.readings import store
from service.readings.directory import Directory, Known
from service.readings.group import GroupResult, keep_and_judge
from service.readings.plans import plan_of
from service.readings.received import Stamping
from service.readings.store import LockedStay, StayKey
from service.readings.submission import Arrival, Item, Lost, Outcome, Recorded, Refusal, Submission, Tick
from service.rules.live import KnownRuleSets, WardRules
from service.rules.shadow import ShadowCounts
from service.settings import Settings
from service.storage.committer import GroupCommitter
from service.storage.direct import Where
from service.storage.engine import Database

KNOWN_PLANS = 50_000


class Intake:
    """One for each process."""

    def __init__(self, database: Database, clock: Clock, wakeups: Wakeups, settings: Settings) -> None:
        self._clock = clock
        self._wakeups = wakeups
        self._directory = Directory(database)
        self.nearer: Callable[[datetime], None] = lambda _at: None
        """Called when a stay became due sooner than was known."""
        self.happened: Callable[[], None] = lambda: None
        """Called when alerts changed."""
        self.shadow = ShadowCounts(database)
        self._rule_sets = KnownRuleSets()
        self._plans = Known[tuple[str, int], Plan](KNOWN_PLANS)
        self._covers = Covers()
        self._committer = GroupCommitter[Item, GroupResult](
            database, self._work, self._committed, settings.committers, settings.max_waiting_readings
        )

    async def start(self) -> None:
        """Begin to keep and judge."""
        await self._committer.start()
        await self.shadow.start()

    async def stop(self) -> None:
        """Commit and answer what is waiting, then stop."""
        await self._committer.stop()
        await self.shadow.stop()

    @property
    def alive(self) -> bool:
        """Whether readings are being kept."""
        return self._committer.alive

    async def wards_of(self, stay_ids: Collection[str], ward_ids: Sequence[str]) -> Mapping[str, str]:
        """The wards of the stays that are on one of these wards."""
        return await self._directory.wards_of(stay_ids, ward_ids)

    async def submit(
        self, ward_id: str, stay_id: str, sender_id: str, submissions: Sequence[Submission]
    ) -> Sequence[Outcome]:
        """`send`, and wait for it; gives what became of each reading, in order."""
        outcomes = (await self.send(ward_id, stay_id, sender_id, submissions)).outcomes
        await self.note_differing(ward_id, stay_id, outcomes)
        return outcomes

    async def note_differing(self, ward_id: str, stay_id: str, outcomes: Sequence[Outcome]) -> None:
        """A reading that came under the name of another was refused like any other: something did not arrive."""
        for outcome in outcomes:
            if isinstance(outcome, ReadingDiffers):
                await self.refuse(ward_id, stay_id, outcome.code)

    def send(
        self, ward_id: str, stay_id: str, sender_id: str, submissions: Sequence[Submission]
    ) -> "asyncio.Future[GroupResult]":
        """Keep and judge readings of one stay that came together; the result's outcomes are in their order.

        Raises Overloaded, and the future DatabaseUnavailable, when none of them was kept."""
        arrival = Arrival(ward_id, stay_id, sender_id, self._clock.now(), tuple(submissions))
        return self._committer.send(ward_id, arrival, len(submissions))

    async def refuse(self, ward_id: str, stay_id: str, code: str) -> None:
        """Note that a reading of this stay was refused; the second within 24 h raises a technical alert."""
        metrics.READINGS.labels("refused").inc()
        await self._committer.submit(ward_id, Refusal(ward_id, stay_id, self._clock.now(), code))

    async def lose_app(self, ward_id: str, stay_id: str, at: datetime) -> None:
        """Tell of a paired app of this stay that has lost its access."""
        await self._committer.submit(ward_id, Lost(ward_id, stay_id, at))

    async def look_at(self, ward_id: str, stay_id: str, at: datetime) -> None:
        """Judge a stay by the time alone, at a clinical instant."""
        await self._committer.submit(ward_id, Tick(ward_id, stay_id, at))

    async def probe(self, at: datetime) -> None:
        """Return when something was committed after this call."""
        await self._committer.submit(NIL_ID, Tick(NIL_ID, NIL_ID, at), 0)

    async def _work(self, where: Where, items: Sequence[Item]) -> Sequence[GroupResult | None]:
        stamping = Stamping(self._clock.now())
        results = await keep_and_judge(where, [stamping.stamp(item) for item in items], self._plans_of, self._rules_of)
        stamping.check()
        return results

    def _committed(self, results: Sequence[GroupResult]) -> None:
        """Count what became of the readings. All results of a group name the wards it wrote to; wake those who listen
        to them."""
        words = Counter(_word(outcome) for result in results for outcome in result.outcomes)
        for word, count in words.items():
            metrics.READINGS.labels(word).inc(count)
        if results and results[0].numbers:
            self._wakeups.wake(results[0].numbers)
            self.happened()
        if results and results[0].counted:
            self.shadow.add(results[0].counted)
        if results and results[0].due_at is not None:
            self.nearer(results[0].due_at)

    async def _plans_of(self, where: Where, stays: Sequence[LockedStay]) -> Mapping[StayKey, tuple[Plan | None, Cover]]:
        """The plan in force for each stay (None for one that cannot be read), and how its ward is covered."""
        missing = [stay for stay in stays if self._plans.find((stay.id, stay.plan_version)) is None]
        if missing:
            rows = await store.load_plans(where, [(stay.ward_id, stay.id) for stay in missing])
            for stay in missing:
                row = rows.get((stay.id, stay.plan_version))
                plan = None if row is None else plan_of(row)
                if plan is not None:
                    self._plans.keep((stay.id, stay.plan_version), plan)
        covers = await self._covers.of(where, {(stay.ward_id, stay.cover_version) for stay in stays})
        return {
            (stay.ward_id, stay.id): (self._plans.find((stay.id, stay.plan_version)), covers[stay.ward_id])
            for stay in stays
        }

    async def _rules_of(self, where: Where, stays: Sequence[LockedStay]) -> Mapping[StayKey, WardRules]:
        """The rule sets of each stay's ward."""
        asked = {(s.ward_id, s.id): (s.ward_id, s.rule_set_number, s.shadow_number) for s in stays}
        rules = await self._rule_sets.rules_of(where, asked.values())
        return {key: rules[ward] for key, ward in asked.items()}


def of(request: Request) -> Intake:
    """The application's intake."""
    intake: Intake = request.app.state.intake
    return intake


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Recorded):
        return "replayed" if outcome.replayed else "kept"
    return outcome.code
