"""Every table. Ward-owned rows carry `ward_id`, and their keys, foreign keys and indexes start with it."""

from sqlmodel import SQLModel

from service.storage.tables.access import (
    AuditRow,
    ClientRow,
    ClientWardRow,
    MembershipRow,
    SigningKeyRow,
    StaffIdentityRow,
    StaffRow,
    StaffTotpRow,
)
from service.storage.tables.alerts import AlertNoteRow, AlertResponseRow, AlertRow
from service.storage.tables.cover import CoverageRow, EscalationPolicyRow, NoticeRow
from service.storage.tables.operation import HeartbeatRow, WardWatchRow, WorkLeaseRow
from service.storage.tables.pairing import AccessIncidentRow, CarerRow, PairingCodeRow, PairingRow
from service.storage.tables.patients import (
    ErasureRow,
    PatientIdentifierRow,
    PatientRow,
    PlanRow,
    StayRow,
    TransferRow,
)
from service.storage.tables.readings import IdempotencyRow, ReadingRow, RefusalRow
from service.storage.tables.rule_sets import RuleSetRow, ShadowCountRow
from service.storage.tables.tokens import (
    AccessChangeRow,
    AuthorizationCodeRow,
    SignInAttemptRow,
    TokenFamilyRow,
    UsedAssertionRow,
)
from service.storage.tables.wards import EventRow, WardFeedRow, WardRow

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "AccessChangeRow",
    "AccessIncidentRow",
    "AlertNoteRow",
    "AlertResponseRow",
    "AlertRow",
    "AuditRow",
    "AuthorizationCodeRow",
    "CarerRow",
    "ClientRow",
    "ClientWardRow",
    "CoverageRow",
    "ErasureRow",
    "EscalationPolicyRow",
    "EventRow",
    "HeartbeatRow",
    "IdempotencyRow",
    "MembershipRow",
    "NoticeRow",
    "PairingCodeRow",
    "PairingRow",
    "PatientIdentifierRow",
    "PatientRow",
    "PlanRow",
    "ReadingRow",
    "RefusalRow",
    "RuleSetRow",
    "ShadowCountRow",
    "SignInAttemptRow",
    "SigningKeyRow",
    "StaffIdentityRow",
    "StaffRow",
    "StaffTotpRow",
    "StayRow",
    "TokenFamilyRow",
    "TransferRow",
    "UsedAssertionRow",
    "WardFeedRow",
    "WardRow",
    "WardWatchRow",
    "WorkLeaseRow",
]
