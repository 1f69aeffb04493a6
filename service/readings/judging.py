"""One stay of a group: what is known of it, what the engine makes of what arrives, and what is to be stored."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from alerts.change import Change, Reminder
from alerts.evaluate import Evaluation, evaluate
from alerts.judge import advance, catch_up, change_plan, judge, lose_app, not_evaluated, refuse
from alerts.plan import Plan
from alerts.reading import LATE_AFTER, Reading
from alerts.record import Judgement, Record
from alerts.severity import Family
from alerts.watch import Watch
from service import metrics
from service.cover.inforce import Cover, Hour
from service.feed.numbering import NewEvent
from service.logs import get_logger
from service.queue.raising import StayChanges, Unresolved
from service.readings.due import due_of
from service.readings.freezing import Frozen, freeze
from service.readings.keeping import row_of
from service.readings.shadowing import count
from service.readings.store import Due, LockedStay
from service.readings.submission import AlertEffect, Arrival, Recorded, Submission
from service.readings.windows import reading_of
from service.rules.live import WardRules
from service.rules.shadow import Found

log = get_logger(__name__)

_TICK = timedelta(microseconds=1)


class _Kept(NamedTuple):
    """A new reading of this group: its row, what was made of it, and how the stay and its ward stood after its
    request."""

    row: dict[str, Any]
    evaluation: Evaluation | None
    changes: tuple[int, ...]
    record: Record
    hour: Hour


@dataclass(slots=True)
class StayCase:
    """A stay as the group goes through what arrived for it; `record` moves on with each request."""

    stay: LockedStay
    plan: Plan | None
    cover: Cover
    record: Record
    watch: Watch
    stored: Unresolved
    last_received_at: datetime | None
    rules: WardRules
    changes: list[Change] = field(default_factory=list)
    alert_ids: Sequence[str] = ()
    kept: dict[str, _Kept] = field(default_factory=dict)
    looked_at: datetime | None = None
    frozen: Frozen | None = None
    counted: Counter[Found] | None = None
    reminders: list[Reminder] = field(default_factory=list)

    def receive(self, arrival: Arrival, new: Sequence[tuple[str, Submission]]) -> list[dict[str, Any]]:
        """Judge the new readings of one request, given with their ids; gives their rows."""
        received_at = self._after_the_last(arrival.received_at)
        before, version = self.record, self.record.rule_set.version
        rows = [row_of(self.stay, version, arrival, received_at, reading_id, sent) for reading_id, sent in new]
        readings = [reading_of(row) for row in rows]
        judgement = self._judged(readings)
        first = len(self.changes)
        self._go_on(judgement)
        if judgement.evaluations:
            counted = count(self.stay, self.rules, self.record, judgement.evaluations)
            if counted:
                self.counted = counted if self.counted is None else self.counted + counted
            self._freeze(before, readings)
        evaluations = judgement.evaluations or (None,) * len(rows)
        hour = self.cover.hour(received_at)
        for row, reading, evaluation in zip(rows, readings, evaluations, strict=True):
            numbers = [n for n, c in enumerate(judgement.changes, first) if c.reading_id == row["id"]]
            row["late"] = reading.received_at - reading.observed_at > LATE_AFTER
            severity = evaluation.severity if evaluation is not None else None
            row["severity"] = None if severity is None else int(severity)
            self.kept[row["id"]] = _Kept(row, evaluation, tuple(numbers), self.record, hour)
        return rows

    def _freeze(self, before: Record, readings: Sequence[Reading]) -> None:
        """These may be the readings that complete what is usual for the person: from the next on it counts."""
        frozen = freeze(self.stay, before, readings)
        if frozen is not None:
            self.frozen, self.plan = frozen, frozen.plan
            self.stay = self.stay._replace(plan_version=frozen.plan.version)
            judgement = change_plan(self.record, frozen.plan, frozen.at)
            self.changes, self.record = [*self.changes, *judgement.changes], judgement.record

    def refuse(self, at: datetime) -> None:
        """A reading of this stay was refused."""
        self._go_on(self._readable(refuse(self.record, self._after_the_last(at))))

    def lose_app(self, at: datetime) -> None:
        """A paired app of this stay has lost its access."""
        self._go_on(self._readable(lose_app(self.record, self._after_the_last(at))))

    def tick(self, at: datetime) -> None:
        """Nothing arrived, but time has passed."""
        self.looked_at = at
        self._attempt(lambda: advance(self.record, at))

    def catch_up(self, at: datetime) -> None:
        """Apply what people did to the stay since it was looked at last: its plan, its pause."""
        plan, until, watch = self.plan or self.record.plan, self.stay.paused_until, self.record.watch or self.watch
        if (plan.version, until) == (watch.plan_version, watch.paused_until):
            return
        if not self._attempt(lambda: catch_up(self.record, plan, until, at)):
            self.record = self.record._replace(plan=plan)

    def _attempt(self, judged: Callable[[], Judgement]) -> bool:
        try:
            self._go_on(self._readable(judged()))
        except Exception as problem:
            self._engine_failed(problem)
            return False
        return True

    def _go_on(self, judgement: Judgement) -> None:
        self.changes.extend(judgement.changes)
        self.reminders.extend(judgement.reminders)
        self.record = judgement.record

    def due(self) -> Due | None:
        """When the stay is to be looked at from now on; None when that need not be written."""
        return due_of(self.stay, self.watch, self.record, self.looked_at)

    @property
    def moved(self) -> bool:
        """Whether there is anything to write about the stay's alerts."""
        episodes, stored = self.record.episodes, self.stored
        as_stored = all(f in stored and episode is stored[f].episode for f, episode in episodes.items())
        return bool(self.changes or self.reminders) or not as_stored

    def stay_changes(self, event: NewEvent | None) -> StayChanges:
        """What is to be written about the stay's alerts, and what happened to the stay itself."""
        return StayChanges(
            ward_id=self.stay.ward_id,
            stay_id=self.stay.id,
            patient_id=self.stay.patient_id,
            stored=self.stored,
            changes=self.changes,
            reminders=self.reminders,
            after=self.record.episodes,
            cover=self.cover,
            event=event,
        )

    def recorded(self, reading_id: str) -> Recorded:
        """The answer to a new reading."""
        kept = self.kept[reading_id]
        effects = tuple(AlertEffect(self.alert_ids[n], self.changes[n]) for n in kept.changes)
        return self._answer(kept.row, kept.evaluation, effects, kept.record, kept.hour, replayed=False)

    def replayed(self, row: Mapping[str, Any], now: datetime) -> Recorded:
        """The answer to a reading that was sent before: judged as it was then, with the stay's alerts as they stand."""
        reading = reading_of(row)
        before = [r for r in self.record.window if r.observed_at <= reading.observed_at and r.id != reading.id]
        evaluation, hour = self._evaluated((*before, reading)), self.cover.hour(now)
        return self._answer(row, evaluation, (), self.record, hour, replayed=True)

    def _evaluated(self, window: tuple[Reading, ...]) -> Evaluation | None:
        """What the rules say about the last reading of a window; None when they cannot say anything."""
        if self.plan is None:
            return None
        record = self.record
        try:
            return evaluate(
                window,
                self.plan,
                window[-1].received_at,
                sixteen_on=record.sixteen_on,
                rule_set=record.rule_set,
                zone=record.service_hours.zone,
            )
        except Exception as problem:
            self._engine_failed(problem)
            return None

    def _judged(self, readings: Sequence[Reading]) -> Judgement:
        """What the engine says; when it fails, the readings are kept all the same, the failure is an alert, and a red
        value still alarms."""
        if self.plan is not None and not self._unreadable:
            try:
                return judge(self.record, readings)
            except Exception as problem:
                self._engine_failed(problem)
        record, changes = self.record, list[Change]()
        for reading in readings:
            judgement = self._readable(not_evaluated(record, reading))
            changes.extend(judgement.changes)
            record = judgement.record
        return Judgement((), tuple(changes), record)

    @property
    def _unreadable(self) -> frozenset[Family]:
        """Families whose unresolved alert cannot be read: it stands in the queue, and nothing may be added to it."""
        return frozenset(family for family, alert in self.stored.items() if alert.episode is None)

    def _readable(self, judgement: Judgement) -> Judgement:
        """The judgement without what it says of alerts that cannot be read."""
        if not self._unreadable:
            return judgement
        episodes = {f: episode for f, episode in judgement.episodes.items() if f not in self._unreadable}
        changes = tuple(change for change in judgement.changes if change.family not in self._unreadable)
        return judgement._replace(changes=changes, record=judgement.record._replace(episodes=episodes))

    def _engine_failed(self, problem: Exception) -> None:
        metrics.ENGINE_FAILURES.inc()
        log.error("not_evaluated", stay_id=self.stay.id, exc_info=problem)

    def _after_the_last(self, received_at: datetime) -> datetime:
        """Receipts of a stay are in strict order, whatever the clocks of several replicas say."""
        if self.last_received_at is not None and received_at <= self.last_received_at:
            received_at = self.last_received_at + _TICK
        self.last_received_at = received_at
        return received_at

    def _answer(
        self,
        row: Mapping[str, Any],
        evaluation: Evaluation | None,
        effects: tuple[AlertEffect, ...],
        record: Record,
        hour: Hour,
        *,
        replayed: bool,
    ) -> Recorded:
        return Recorded(
            row=row,
            replayed=replayed,
            evaluation=evaluation,
            effects=effects,
            episodes=record.episodes,
            plan=self.plan,
            hour=hour,
        )
