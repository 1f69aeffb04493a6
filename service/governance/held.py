"""What is held on a patient, and where: every table with a way to one, in the order of the export.

Each part is found by the ids of what it is about, so that one index lookup finds a page of it. A test walks all tables:
one that is neither here nor among `NOT_ABOUT_PATIENTS` fails it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Table

from service.storage.tables import METADATA

Owner = Literal["patient", "stay", "alert", "anything", "at_home"]
"""Whose ids a row is found by: the patient's, the stays', the alerts', those of anything of the patient's, or those of
the people who sign in at home: the patient and the carers."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table's rows on a patient: `column` holds the id of an `owner`; `order` makes a row one among its owner's.

    `withheld` are columns that are given to nobody: secrets, and hashes of them. `ward`: the column that holds the
    ward, or None where the ids alone say it; `everywhere`: rows that are of no ward are looked for too."""

    table: Table
    owner: Owner
    column: str
    order: tuple[str, ...]
    withheld: frozenset[str] = frozenset()
    ward: str | None = "ward_id"
    everywhere: bool = False
    named: str = ""

    @property
    def name(self) -> str:
        """The table's name, unless its rows are found in two ways."""
        return self.named or self.table.name

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that are given out."""
        return tuple(column.name for column in self.table.columns if column.name not in self.withheld)


def _part(table: str, owner: Owner, column: str, *order: str, **more: Any) -> Part:
    return Part(METADATA.tables[table], owner, column, order, **more)


PARTS: tuple[Part, ...] = (
    _part("patient", "patient", "id"),
    _part("patient_identifier", "patient", "patient_id", "system", "value"),
    _part("erasure", "patient", "patient_id", "id"),
    _part("carer", "patient", "patient_id", "id"),
    _part("stay", "stay", "id"),
    _part("transfer", "stay", "stay_id", "ward_id", "id", ward="from_ward_id"),
    _part("transfer", "stay", "new_stay_id", "id", named="transfer_to_here"),
    _part("plan", "stay", "stay_id", "version"),
    _part("reading", "stay", "stay_id", "observed_at", "id"),
    _part("idempotency", "stay", "stay_id", "sender_id", "key", withheld=frozenset({"content"})),
    _part("refusal", "stay", "stay_id", "at", "id"),
    _part("alert", "stay", "stay_id", "family", "opened_at", "id"),
    _part("alert_response", "alert", "alert_id"),
    _part("alert_note", "alert", "alert_id", "at", "id"),
    _part("notice", "alert", "alert_id", "id"),
    _part("pairing_code", "stay", "stay_id", "id", withheld=frozenset({"code_hash", "birth_date_hash"})),
    _part("pairing", "stay", "stay_id", "id"),
    _part("access_incident", "stay", "stay_id", "at", "id"),
    _part(
        "token_family", "at_home", "subject_id", "id", ward=None, withheld=frozenset({"current_hash", "previous_hash"})
    ),
    _part("access_change", "at_home", "subject_id", "subject_kind", ward=None),
    _part("event", "anything", "subject_id", "number"),
    _part("audit", "anything", "subject_id", "id", withheld=frozenset({"seal"}), everywhere=True),
)

BY_NAME: Mapping[str, Part] = {part.name: part for part in PARTS}

NOT_ABOUT_PATIENTS: Mapping[str, str] = {
    "ward": "the ward itself",
    "ward_feed": "the last number and counts of the ward",
    "ward_watch": "a lock",
    "staff": "people who work here; entries about a patient name them by id",
    "staff_identity": "how an issuer elsewhere names them",
    "staff_totp": "their authenticator apps",
    "authorization_code": "hashes of codes by which they let a dashboard in",
    "membership": "where they work",
    "client": "systems",
    "client_ward": "where they work",
    "signing_key": "the service's own keys",
    "coverage": "who is on duty",
    "escalation_policy": "whom an alert goes to",
    "rule_set": "a ward's limits; the export holds those the patient's readings were judged by",
    "shadow_count": "counts of a ward and day, without anybody",
    "work_lease": "which replica does what",
    "heartbeat": "which replica lives",
    "sign_in_attempt": "keyed hashes of accounts of staff and of addresses",
    "used_assertion": "hashes of what systems signed in with",
}
"""Every other table, and what is in it."""
