"""Messages to people out of sight, kept in the transaction of what they tell, and sent after it.

Whoever tries one first moves the time of its next try on, so that a sender that is killed loses nothing: somebody
tries again. At least once; what is sent twice has the same Message-ID."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import and_, delete, func, select, update

from alerts.policy import Notify, Via
from service.access.accounts import NO_ADDRESS
from service.cover import store
from service.cover.inforce import Cover
from service.fields import is_email, new_id
from service.storage.direct import Where, insert_rows
from service.storage.tables import METADATA
from service.storage.tables.cover import WAITING

NOTICE = METADATA.tables["notice"]

OUT_OF_HOURS = Notify.OUT_OF_HOURS.value
AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 30, 60, 60))
"""How long after each try the next one comes; after the last there is none."""
NOBODY, NOT_CONFIGURED = "nobody_to_tell", "mail_not_configured"


@dataclass(frozen=True, slots=True)
class Told:
    """That a step of the ward's policy was taken for an alert, `at` a clinical instant. `severity` as a rank."""

    alert_id: str
    severity: int
    step: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one recipient: a member of staff by id, or the out-of-hours service."""

    id: str
    alert_id: str
    severity: int
    step: int
    at: datetime
    recipient: str
    attempts: int


async def notify(where: Where, cover: Cover, told: Iterable[Told]) -> None:
    """Keep messages about steps that the ward's policy sends by e-mail; who gets them is looked up when they are sent.

    Call it after the alerts are written, in the same transaction. Other steps leave nothing."""
    rows = [_row(cover.ward_id, each) for each in told if cover.policy.step(each.step).channel == Via.EMAIL]
    await insert_rows(where, NOTICE, rows)


def tells_at_once(cover: Cover) -> bool:
    """Whether the ward's first step is an e-mail that does not wait."""
    first = cover.policy.step(0)
    return first.channel == Via.EMAIL and first.after_minutes == 0


def _row(ward_id: str, told: Told) -> dict[str, Any]:
    return {
        "ward_id": ward_id,
        "id": new_id(),
        "alert_id": told.alert_id,
        "severity": told.severity,
        "step": told.step,
        "at": told.at,
        "recipient": None,
        "state": "waiting",
        "attempts": 0,
        "due_at": told.at,
        "ended_at": None,
        "problem": None,
    }


async def people_of(where: Where, cover: Cover, step: int, at: datetime) -> dict[str, str]:
    """The people of a step at an instant: their addresses, by recipient. Empty: nobody."""
    wanted = cover.policy.step(step)
    if wanted.notify == Notify.OUT_OF_HOURS:
        return {} if cover.out_of_hours_email is None else {OUT_OF_HOURS: cover.out_of_hours_email}
    found = await store.list_members(where, cover.ward_id)
    members = {id_: member for id_, member in found.items() if _reaches(member.email)}
    if wanted.notify == Notify.LEAD:
        return {id_: member.email for id_, member in members.items() if member.role == "lead"}
    ids = [wanted.staff_id] if wanted.staff_id else [each.staff_id for each in cover.coverage.on_duty(at)]
    return {id_: members[id_].email for id_ in ids if id_ in members}


def _reaches(email: str) -> bool:
    # What was taken by an earlier release may be no address, or two.
    return is_email(email) and not email.endswith(NO_ADDRESS)


async def first_due(where: Where) -> list[tuple[str, datetime]]:
    """When the first message of each ward is due."""
    query = select(NOTICE.c.ward_id, func.min(NOTICE.c.due_at)).where(WAITING).group_by(NOTICE.c.ward_id)
    return [(row[0], row[1]) for row in await where.execute(query)]


async def address(where: Where, cover: Cover, now: datetime, at_most: int) -> None:
    """Make one message for each person of the step out of those that have no recipient yet."""
    due = and_(NOTICE.c.ward_id == cover.ward_id, NOTICE.c.due_at <= now, NOTICE.c.recipient.is_(None), WAITING)
    query = select(NOTICE).where(due).order_by(NOTICE.c.due_at, NOTICE.c.id).limit(at_most)
    for row in (await where.execute(query.with_for_update(skip_locked=True))).mappings().all():
        people = await people_of(where, cover, row["step"], row["at"])
        if not people:
            await end(where, cover.ward_id, row["id"], now, NOBODY)
            continue
        each = [{**row, "id": str(uuid5(UUID(row["id"]), who)), "recipient": who} for who in people]
        await insert_rows(where, NOTICE, each)
        await where.execute(delete(NOTICE).where(NOTICE.c.ward_id == cover.ward_id, NOTICE.c.id == row["id"]))


async def take(where: Where, ward_id: str, now: datetime, at_most: int) -> list[Notice]:
    """The messages to try now. Each is first put off to its next try, in case this process is killed before it can say
    what became of it."""
    due = and_(NOTICE.c.ward_id == ward_id, NOTICE.c.due_at <= now, NOTICE.c.recipient.is_not(None), WAITING)
    columns = [NOTICE.c[name] for name in Notice.__dataclass_fields__]
    query = select(*columns).where(due).order_by(NOTICE.c.due_at, NOTICE.c.id).limit(at_most)
    found = [Notice(*row) for row in await where.execute(query.with_for_update(skip_locked=True))]
    for each in found:
        again = AGAIN_AFTER[min(each.attempts, len(AGAIN_AFTER) - 1)]
        values = {"attempts": each.attempts + 1, "due_at": now + again}
        await where.execute(update(NOTICE).where(*_only(ward_id, each.id)).values(values))
    return found


async def end(where: Where, ward_id: str, notice_id: str, at: datetime, problem: str | None = None) -> None:
    """The message was sent, or, with a problem, never will be."""
    state = "sent" if problem is None else "dead"
    values = {"state": state, "ended_at": at, "problem": problem}
    await where.execute(update(NOTICE).where(*_only(ward_id, notice_id), WAITING).values(values))


async def note(where: Where, ward_id: str, notice_id: str, problem: str) -> None:
    """Why the last try failed; there will be another."""
    await where.execute(update(NOTICE).where(*_only(ward_id, notice_id), WAITING).values(problem=problem))


def _only(ward_id: str, notice_id: str) -> Sequence[Any]:
    return (NOTICE.c.ward_id == ward_id, NOTICE.c.id == notice_id)
