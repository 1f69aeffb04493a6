"""What a stay's change looks like in the feed: as it stood then, without identity, reasons or limits."""

from datetime import datetime
from typing import Any

from service.care.store import Stay
from service.feed.numbering import NewEvent
from service.fields import utc_text


def stay_event(kind: str, at: datetime, stay: Stay, actor_id: str | None, **more: Any) -> NewEvent:
    """The event of a stay that now stands as `stay`; `more` says what is special to it, `actor_id` is None when time
    alone changed it."""
    data = {
        "stay_id": stay.id,
        "patient_id": stay.patient_id,
        "status": stay.status,
        "paused_until": utc_text(stay.paused_until) if stay.paused_until else None,
        "plan_version": stay.plan.version,
        "version": stay.version,
        **more,
    }
    return NewEvent(kind, at, "stay", stay.id, data, actor_id)
