"""One change of a stay: the lock it begins with, and what every change leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.principals import Principal
from service.care import store
from service.care.store import Stay
from service.feed.numbering import WardEvents, append_events
from service.queue.happenings import stay_event
from service.versions import require_version


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes which stay, having seen which version, and when: `at` clinical, `real_at` real time."""

    session: AsyncSession
    who: Principal
    ward_id: str
    stay_id: str
    seen: int
    at: datetime
    real_at: datetime

    async def lock(self) -> Stay:
        """The stay, held until the transaction ends; raises NotFound, StaleVersion, StayDischarged."""
        stay = await store.lock_stay(self.session, self.who, self.ward_id, self.stay_id)
        require_version(self.seen, stay.version, stay)
        store.require_going_on(stay)
        return stay

    async def record(
        self,
        stay: Stay,
        kind: str,
        changes: Mapping[str, Any],
        detail: Mapping[str, Any] | None = None,
        before: WardEvents | None = None,
    ) -> Stay:
        """Write the changes, the audit entry and the event `kind`, which comes after those of `before`.

        Gives the stay as it now stands. Call it last: it locks the ward's feed."""
        detail = detail or {}
        before = before or WardEvents()
        await store.update_stay(self.session, stay, changes)
        subject = ("stay", stay.id)
        await audit.append(
            self.session, self.who, kind, self.real_at, ward_id=self.ward_id, subject=subject, detail=detail
        )
        after = await store.get_stay(self.session, self.who, self.ward_id, self.stay_id)
        event = stay_event(kind, self.at, after.stands(), self.who.id, **detail)
        await append_events(self.session, self.ward_id, [*before.events, event], before.counts)
        return after
