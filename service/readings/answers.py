"""The answer to a reading's question: a reading of its own without a measurement, judged with the one it answers."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import select

from alerts.reading import Quality, Source
from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.readings.answer_schemas import AnswerIn
from service.readings.sending import AS_SENT
from service.readings.store import reading_table
from service.readings.submission import Submission
from service.storage.session import ReadSession


@dataclass(frozen=True, slots=True)
class Answered:
    """The reading that is spoken of, and where it is."""

    ward_id: str
    stay_id: str
    reading_id: str
    context: str


async def find_reading(session: ReadSession, who: Principal, reading_id: str | None) -> Answered:
    """A reading of the caller's wards; raises NotFound. An answer stands for the reading it answers."""
    table = reading_table
    columns = (table.c.ward_id, table.c.stay_id, table.c.id, table.c.context, table.c.answers)
    query = select(*columns).where(visible(who, table), table.c.id == reading_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    return Answered(row.ward_id, row.stay_id, row.answers or row.id, row.context)


def submission(to: Answered, said: AnswerIn, who: Principal, now: datetime, request_key: str | None) -> Submission:
    """What the intake takes. The same answer to the same reading is the same answer, whenever it comes again."""
    symptoms = None if said.symptoms is None else ",".join(sorted(set(said.symptoms)))
    row: dict[str, Any] = {
        **dict.fromkeys(AS_SENT),
        "answers": to.reading_id,
        "breathlessness": said.breathlessness,
        "feeling": said.feeling,
        "symptoms": symptoms,
        # What the person was doing when it was measured; asked and answered afterwards, it speaks of that.
        "context": to.context,
        "quality": Quality.UNKNOWN,
        **dict.fromkeys(("device_id", "device_model", "client_reading_id", "client_sent_at")),
        "observed_offset": 0,
        "source": Source.STAFF if who.kind == "staff" else Source.APP,
        "entered_by": who.name if who.kind == "carer" else None,
    }
    values = (to.reading_id, said.breathlessness, said.feeling, symptoms)
    content = blake2b(orjson.dumps(values), digest_size=16).hexdigest()
    key = f"answer:{to.reading_id}:{content}" if request_key is None else f"answer-request:{request_key}"
    return Submission(key, content, now, row)
