"""A change of an account: who makes it, when, and what the wards hear of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.access import audit, changes
from service.access.principals import Principal
from service.accounts import store
from service.feed.numbering import NewEvent, WardEvents, append_for_wards
from service.fields import NIL_ID
from service.storage.session import WriteSession


@dataclass(frozen=True, slots=True)
class Act:
    """`at` is clinical time, for the wards' feeds; `real_at` real time, for the audit trail."""

    session: WriteSession
    who: Principal
    at: datetime
    real_at: datetime

    async def record(
        self, action: str, kind: str, account_id: str, ward_ids: Collection[str] = (), **detail: Any
    ) -> None:
        """The audit entries, one for each ward it concerns (or for the whole system), the note by which every replica
        looks the account up again, and last the wards' events. Call it when all else is written."""
        subject = (kind, account_id)
        for ward_id in sorted(ward_ids) or [NIL_ID]:
            await audit.append(
                self.session, self.who, action, self.real_at, ward_id=ward_id, subject=subject, detail=detail
            )
        await changes.note(self.session, kind, account_id, self.real_at)
        if ward_ids:
            if kind == "staff":
                await store.renew_cover(self.session, sorted(ward_ids))
            await append_for_wards(self.session, self._events(action, subject, ward_ids))

    def _events(self, action: str, subject: tuple[str, str], ward_ids: Collection[str]) -> Mapping[str, WardEvents]:
        event = NewEvent(action, self.at, *subject, {f"{subject[0]}_id": subject[1]}, self.who.id)
        return {ward_id: WardEvents([event]) for ward_id in ward_ids}
