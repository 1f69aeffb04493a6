"""What is known of the stays of a group before anything is judged: the readings of each window, the alerts that are not
resolved, the names that are taken. One query for all of it: each costs a way to the database and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Integer, Select, String, Text, cast, literal_column, null, union_all

from alerts.judge import WINDOW
from alerts.reading import Reading
from alerts.severity import Family
from service.queue.checkpoints import readable
from service.queue.raising import StoredAlert
from service.queue.store import ALERT, subject_of, unresolved_of
from service.readings.naming import NAMES, Name, Named, taken_of
from service.readings.store import StayKey, idempotency_table
from service.readings.windows import EARLIER_COLUMNS, as_text, earlier_readings, to_earlier
from service.storage.direct import Statement, Where, fetch
from service.storage.portable import Given, IdType, InstantType, dialect_of

STAYS = Given("stays", ward_id=IdType, stay_id=IdType, subject=String, since=InstantType, whole_from=InstantType)


@dataclass(slots=True)
class Background:
    """`windows` in the order of the stays asked for, `unresolved` by stay, `names` those that are taken."""

    windows: list[list[Reading]]
    unresolved: dict[str, dict[Family, StoredAlert]]
    names: dict[Name, Named]


_READING, _ALERT, _NAME = range(3)
"""What a row is about, in its last column."""


def _known(dialect: str) -> Any:
    stays, names = STAYS.table(dialect), NAMES.table(dialect)
    alert, name = ALERT.c, idempotency_table.c
    machines = as_text(alert.id), alert.family, cast(alert.machine, Text)
    return union_all(
        *(_about(_READING, part) for part in earlier_readings(dialect, stays)),
        _about(_ALERT, unresolved_of(dialect, stays, stays.c.place, *machines)),
        _about(_NAME, taken_of(dialect, names, names.c.place, as_text(name.reading_id), name.content)),
    )


def _about(what: int, part: Select[Any]) -> Select[Any]:
    """With what it is about behind columns as `earlier_readings` has them; those that are left are empty."""
    left = 1 + len(EARLIER_COLUMNS) - len(part.selected_columns)
    return part.add_columns(*[null()] * left, literal_column(str(what), Integer))


KNOWN = Statement(_known)

_order = attrgetter("observed_at", "received_at", "id")


async def load_background(where: Where, since: Mapping[StayKey, datetime], names: Sequence[Name]) -> Background:
    """What is known of stays: their readings observed since an instant, oldest first (of the first 48 h at most as many
    as are judged together, the newest), and of these names of readings."""
    dialect = dialect_of(where)
    stays = [(*key, subject_of(key[1]), at, at + WINDOW) for key, at in since.items()]
    wards = {stay_id: ward_id for ward_id, stay_id in since}
    named = [(wards[name[0]], *name) for name in names]
    found = Background([[] for _ in stays], {}, {})
    stay_ids = [stay_id for _, stay_id in since]
    for row in await fetch(where, KNOWN, {**STAYS.params(dialect, stays), **NAMES.params(dialect, named)}):
        place, about = row[0], row[-1]
        if about == _READING:
            found.windows[place - 1].append(to_earlier(row))
        elif about == _ALERT:
            alert = StoredAlert(row[1], readable(row[1], orjson.loads(row[3])))
            found.unresolved.setdefault(stay_ids[place - 1], {})[Family(row[2])] = alert
        else:
            found.names[names[place - 1]] = row[2], row[1]
    for window in found.windows:
        window.sort(key=_order)
    return found
