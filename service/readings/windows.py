"""Stored readings as the engine takes them: the one that is judged, and the window of those before it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, select

from alerts.judge import WINDOW_READINGS
from alerts.reading import Reading, Symptom
from service.readings.store import reading_table
from service.storage.portable import IdType, InstantType, for_each

JUDGED_COLUMNS = tuple("claimed_at" if name == "time_corrected" else name for name in Reading._fields)
"""Where the fields of a Reading are kept, in their order."""

EARLIER_COLUMNS = (
    "id",
    "context",
    "feeling",
    "quality",
    "observed_at",
    "received_at",
    "spo2",
    "oxygen_flow",
    "breathlessness",
)
"""What the rules look at in readings before it. A rule that wants more adds it here; the test that folds whole
histories from full rows (P4) fails until it does."""


JUDGED_AT = case(
    (reading_table.c.received_at < reading_table.c.observed_at, reading_table.c.received_at),
    else_=reading_table.c.observed_at,
)
"""When a reading counts as observed: never after it was received, see `to_reading`."""


def earlier_readings(dialect: str, given: Any) -> tuple[Select[Any], Select[Any]]:
    """The place of each stay given (`place`, `ward_id`, `stay_id`, `since`, `whole_from`) with the EARLIER_COLUMNS of
    its readings observed after `since`: of those before `whole_from` at most as many as are judged together, the
    newest; and all of the others."""
    reading = reading_table.c
    columns = [as_text(reading[name] if name != "observed_at" else JUDGED_AT.label(name)) for name in EARLIER_COLUMNS]
    of_the_stay = select(given.c.place, *columns).where(
        reading.ward_id == given.c.ward_id,
        reading.stay_id == given.c.stay_id,
        reading.entered_in_error_at.is_(None),
    )
    before = of_the_stay.where(reading.observed_at > given.c.since, reading.observed_at < given.c.whole_from)
    others = of_the_stay.where(reading.observed_at >= given.c.whole_from)
    newest_first = reading.observed_at.desc()
    return (
        for_each(dialect, given, before, newest_first, newest=WINDOW_READINGS),
        for_each(dialect, given, others, newest_first),
    )


def as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """An id or an instant as text already in the database: there are many of them, and each would be converted here,
    where an instant is read from text in less than half the time that the driver takes."""
    return cast(column, String(36)).label(column.name) if isinstance(column.type, IdType | InstantType) else column


_instant = datetime.fromisoformat


def to_earlier(row: Sequence[Any]) -> Reading:
    """A reading of a window, from a row of `earlier_readings` with one column more. By position, for a dozen are made
    for each reading that is judged."""
    _, reading_id, context, feeling, quality, observed_at, received_at, spo2, oxygen_flow, breathlessness, _ = row
    nothing = None
    return Reading(
        reading_id, _instant(observed_at), _instant(received_at), spo2,
        nothing, nothing, nothing, nothing, nothing, nothing,
        oxygen_flow, context, breathlessness, feeling, nothing, quality,
    )  # fmt: skip


def to_reading(values: Sequence[Any]) -> Reading:
    """A stored reading as the engine takes it; `values` in the order of JUDGED_COLUMNS.

    A clock that is a little ahead (less than is corrected) must not make its reading newer than the next one: nothing
    is judged as observed after it was received."""
    reading_id, observed_at, received_at, *said, symptoms, quality, claimed_at, answers = values
    observed_at, corrected = min(observed_at, received_at), claimed_at is not None
    # By position, as those of a window.
    fields = (reading_id, observed_at, received_at, *said, to_symptoms(symptoms), quality, corrected, answers)
    return Reading._make(fields)


_judged = itemgetter(*JUDGED_COLUMNS)


def reading_of(row: Mapping[str, Any]) -> Reading:
    """The same from the whole row, by name."""
    return to_reading(_judged(row))


def to_symptoms(stored: str | None) -> tuple[Symptom, ...] | None:
    """Symptoms from their column: None was not asked, empty is asked and none."""
    if not stored:
        return None if stored is None else ()
    return tuple(Symptom(word) for word in stored.split(","))
