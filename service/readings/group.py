"""One transaction for all readings that wait, of however many requests and stays."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.judge import REFUSALS_WITHIN, WINDOW
from alerts.plan import Plan
from alerts.watch import Watch
from service.cover.inforce import Cover
from service.errors import NotFound, ReadingDiffers, StayDischarged
from service.fields import new_id
from service.queue.raising import write_changes
from service.readings import store
from service.readings.background import load_background
from service.readings.due import watch_of
from service.readings.freezing import write_frozen
from service.readings.judging import StayCase
from service.readings.keeping import refusal_row
from service.readings.naming import Name, Named, name_of, name_row
from service.readings.opening import open_case
from service.readings.store import LockedStay, StayKey
from service.readings.submission import Arrival, Item, Lost, Outcome, Refusal, Submission, Tick
from service.rules.live import WardRules
from service.rules.shadow import Found
from service.storage.direct import Where

Counted = Mapping[Found, int]
RuleReader = Callable[[Where, Sequence[LockedStay]], Awaitable[Mapping[StayKey, WardRules]]]
PlanReader = Callable[[Where, Sequence[LockedStay]], Awaitable[Mapping[StayKey, tuple[Plan | None, Cover]]]]

DISCHARGED = "discharged"


@dataclass(slots=True)
class Draft:
    """One reading on its way, the id it gets if its key is won, and what became of it."""

    key: StayKey
    arrival: Arrival
    submission: Submission
    reading_id: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What became of one item, the last event number of each ward the group wrote to, and when the first of its
    stays is due sooner than was known."""

    outcomes: tuple[Outcome, ...]
    numbers: Mapping[str, int]
    due_at: datetime | None
    counted: Counted


async def keep_and_judge(
    where: Where, items: Sequence[Item], read_plans: PlanReader, read_rules: RuleReader
) -> list[GroupResult | None]:
    """Carry out one group inside the caller's transaction; gives one result for each item, in order: None for one whose
    stay somebody else holds."""
    keys = {_key(item) for item in items}
    stays = await store.lock_stays(where, keys)
    held = set(await store.find_stays(where, keys - stays.keys())) if len(stays) < len(keys) else set[StayKey]()
    free = [item for item in items if _key(item) not in held]
    results = iter(await _keep(where, free, stays, read_plans, read_rules))
    return [None if _key(item) in held else next(results) for item in items]


async def _keep(
    where: Where,
    items: Sequence[Item],
    stays: Mapping[StayKey, LockedStay],
    read_plans: PlanReader,
    read_rules: RuleReader,
) -> list[GroupResult]:
    drafts = [_draft(item, stays.get(_key(item))) for item in items]
    sent = [draft for each in drafts for draft in each if draft.outcome is None]
    cases, names = await _load_cases(where, items, sent, stays, read_plans, read_rules)
    won = _win_names(sent, stays, names)
    rows = _judge(items, drafts, won, cases)
    dues = [due for case in cases.values() if (due := case.due()) is not None]
    named = [name_row(draft.arrival, draft.submission, draft.reading_id) for draft in sent if draft.reading_id in won]
    refusals = [refusal_row(item) for item in items if isinstance(item, Refusal) and _key(item) in stays]
    also = store.additions(rows, named, refusals, dues)
    events = await write_frozen(where, [case.frozen for case in cases.values() if case.frozen])
    moved = [case for case in cases.values() if case.moved or case.stay.id in events]
    changes = [case.stay_changes(events.get(case.stay.id)) for case in moved]
    written = await write_changes(where, changes, also)
    for case in moved:
        case.alert_ids = written.alert_ids.get(case.stay.id, ())
    await _look_up(where, [draft for draft in sent if draft.reading_id not in won], names, cases)
    for draft in sent:
        draft.outcome = draft.outcome or cases[draft.key].recorded(draft.reading_id)
    due_at = min((due.at for due in dues), default=None)
    counted = sum((case.counted for case in cases.values() if case.counted), Counter[Found]())
    return [GroupResult(tuple(_outcome(draft) for draft in each), written.numbers, due_at, counted) for each in drafts]


def _key(item: Item) -> StayKey:
    return item.ward_id, item.stay_id


def _outcome(draft: Draft) -> Outcome:
    if draft.outcome is None:
        raise LookupError("every draft is recorded, looked up or refused")
    return draft.outcome


def _draft(item: Item, stay: LockedStay | None) -> list[Draft]:
    """The readings of an item; already refused when their stay is not there."""
    if not isinstance(item, Arrival):
        return []
    refused = NotFound() if stay is None else None
    return [Draft(_key(item), item, submission, new_id(), refused) for submission in item.submissions]


def _win_names(sent: Sequence[Draft], stays: Mapping[StayKey, LockedStay], names: dict[Name, Named]) -> set[str]:
    """The ids of the readings that nobody sent before; their names are taken from now on. Where the stay has ended none
    is taken."""
    won = set()
    for draft in sent:
        name = name_of(draft.arrival, draft.submission)
        if name not in names and stays[draft.key].status != DISCHARGED:
            names[name] = draft.submission.content, draft.reading_id
            won.add(draft.reading_id)
    return won


async def _load_cases(
    where: Where,
    items: Sequence[Item],
    sent: Sequence[Draft],
    stays: Mapping[StayKey, LockedStay],
    read_plans: PlanReader,
    read_rules: RuleReader,
) -> tuple[dict[StayKey, StayCase], dict[Name, Named]]:
    """Everything the judgement needs to know of each stay, and which names of readings are taken: the same few queries
    however many there are."""
    since = _window_starts(items, sent, stays)
    if not since:
        return {}, {}
    plans = await read_plans(where, [stays[key] for key in since])
    rules = await read_rules(where, [stays[key] for key in since])
    watches = {key: watch_of(stays[key], start + WINDOW) for key, start in since.items()}
    behind = [stays[key]._replace(plan_version=w.plan_version) for key, w in watches.items() if _behind(stays[key], w)]
    known = await read_plans(where, behind) if behind else {}
    reach = {key: _reach(start, watches[key]) for key, start in since.items()}
    background = await load_background(where, reach, list({name_of(d.arrival, d.submission) for d in sent}))
    refusals = await _earlier_refusals(where, items)
    cases = {
        key: open_case(
            stays[key],
            *plans[key],
            (watches[key], known[key][0] if key in known else None),
            window,
            background.unresolved.get(key[1], {}),
            refusals.get(key, ()),
            rules[key],
        )
        for key, window in zip(since, background.windows, strict=True)
    }
    return cases, background.names


def _behind(stay: LockedStay, watch: Watch) -> bool:
    """Has the plan changed since the stay was looked at last?"""
    return stay.plan_version != watch.plan_version


def _reach(start: datetime, watch: Watch) -> datetime:
    """How far back the readings are needed: further if nobody has looked for long."""
    return start if watch.due_at is None else min(start, watch.due_at - WINDOW)


def _window_starts(
    items: Sequence[Item], sent: Sequence[Draft], stays: Mapping[StayKey, LockedStay]
) -> dict[StayKey, datetime]:
    """From when on the readings of each stay are needed: 48 h before the oldest that came."""
    oldest: dict[StayKey, datetime] = {}
    for draft in sent:
        observed_at = min(draft.submission.observed_at, draft.arrival.received_at)
        oldest[draft.key] = min(observed_at, oldest.get(draft.key, observed_at))
    for item in items:
        key = _key(item)
        if not isinstance(item, Arrival) and key in stays and stays[key].status != DISCHARGED:
            oldest[key] = min(item.received_at, oldest.get(key, item.received_at))
    return {key: instant - WINDOW for key, instant in oldest.items()}


async def _earlier_refusals(where: Where, items: Sequence[Item]) -> dict[StayKey, Sequence[datetime]]:
    """For stays with a refusal in this group: when their readings were refused before."""
    first: dict[StayKey, datetime] = {}
    for item in items:
        if isinstance(item, Refusal):
            key = _key(item)
            first[key] = min(item.received_at, first.get(key, item.received_at))
    return {key: await store.list_refusals(where, key, at - REFUSALS_WITHIN) for key, at in first.items()}


def _judge(
    items: Sequence[Item],
    drafts: Sequence[Sequence[Draft]],
    won: set[str],
    cases: Mapping[StayKey, StayCase],
) -> list[dict[str, Any]]:
    """Judge request after request, in order of arrival; gives the rows to store. Of a stay that has ended nothing is
    judged any more."""
    rows: list[dict[str, Any]] = []
    for item, each in zip(items, drafts, strict=True):
        case = cases.get(_key(item))
        if case is None or case.stay.status == DISCHARGED:
            continue
        case.catch_up(item.received_at)
        if isinstance(item, Refusal):
            case.refuse(item.received_at)
        elif isinstance(item, Tick):
            case.tick(item.received_at)
        elif isinstance(item, Lost):
            case.lose_app(item.received_at)
        new = [(draft.reading_id, draft.submission) for draft in each if draft.reading_id in won]
        if new and isinstance(item, Arrival):
            rows.extend(case.receive(item, new))
    return rows


async def _look_up(
    where: Where, repeated: Sequence[Draft], names: Mapping[Name, Named], cases: Mapping[StayKey, StayCase]
) -> None:
    """Readings that were sent before: the stored one with the assessment of now, or a conflict if they differ. Those
    whose name is nobody's came too late: their stay has ended."""
    known = [(draft, names.get(name_of(draft.arrival, draft.submission))) for draft in repeated]
    rows = await store.load_readings(where, {(draft.key[0], named[1]) for draft, named in known if named})
    for draft, named in known:
        if named is None:
            draft.outcome = StayDischarged()
        elif named[0] != draft.submission.content:
            draft.outcome = ReadingDiffers()
        else:
            draft.outcome = cases[draft.key].replayed(rows[named[1]], draft.arrival.received_at)
