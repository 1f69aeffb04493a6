"""What can be refused, and why: one class per cause. The docstring of the class is the message the caller
reads; `problems.py` is the only place that turns one into an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: a JSON pointer to it, a stable code and a message. Never the value."""

    pointer: str
    code: str
    message: str


class WardwatchError(Exception):
    """The request was refused."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra
        super().__init__(self.detail)


class NotAuthenticated(WardwatchError):
    """An access token is needed: it is missing, broken, expired or not one of ours."""

    status, code = 401, "not_authenticated"


class PairingEnded(NotAuthenticated):
    """This app is no longer paired: the stay has ended or moved to another ward, or the team ended the pairing. Nothing
    that it sends is received. Ask the team for a new code, and ring them if you are unwell."""

    code = "pairing_ended"


class ScopeMissing(WardwatchError):
    """The token does not carry the scope this call needs."""

    status, code = 403, "scope_missing"


class NotAllowed(WardwatchError):
    """This principal may not do that."""

    status, code = 403, "not_allowed"


class NotFound(WardwatchError):
    """There is nothing by that name here, or it is not for you to see."""

    status, code = 404, "not_found"


class MethodNotAllowed(WardwatchError):
    """That path does not take this method."""

    status, code = 405, "method_not_allowed"


class BodyTooSlow(WardwatchError):
    """The body did not arrive in time; nothing of it was kept."""

    status, code = 408, "body_too_slow"


class BodyTooLarge(WardwatchError):
    """The body is larger than this call accepts."""

    status, code = 413, "body_too_large"


class UnsupportedMediaType(WardwatchError):
    """This call takes application/json, plain or gzip-compressed."""

    status, code = 415, "unsupported_media_type"


class BadRequest(WardwatchError):
    """The request cannot be understood."""

    status, code = 400, "bad_request"


class MalformedJson(WardwatchError):
    """The body is not JSON."""

    status, code = 400, "malformed_json"


class Invalid(WardwatchError):
    """Some fields cannot be accepted; each is named in `errors`."""

    status, code = 422, "invalid"


class VersionRequired(WardwatchError):
    """Say which version you saw: `If-Match: "<version>"`, or `version` in the body."""

    status, code = 428, "version_required"


class StaleVersion(WardwatchError):
    """Somebody changed this since you read it; the current state is in `current`."""

    status, code = 412, "stale_version"


class Conflict(WardwatchError):
    """That cannot be done in the present state."""

    status, code = 409, "conflict"


class StayDischarged(Conflict):
    """The stay has ended; readings for it are no longer taken."""

    code = "stay_discharged"


class ActiveStayExists(Conflict):
    """This patient already has an active stay on the ward."""

    code = "active_stay_exists"


class TransferDecided(Conflict):
    """This transfer has been accepted or declined already."""

    code = "transfer_decided"


class TransferPending(Conflict):
    """This stay is offered to that ward already; `transfer_id` names the offer."""

    code = "transfer_pending"


class SecondClinicianNeeded(Conflict):
    """Another clinician than the one who proposed this limit has to approve it."""

    code = "second_clinician_needed"


class SecondPersonNeeded(Conflict):
    """Somebody else than the author has to approve a rule set."""

    code = "second_person_needed"


class IdentifierTaken(Conflict):
    """That identifier belongs to a person with another date of birth on this ward."""

    code = "identifier_taken"


class ReadingDiffers(Conflict):
    """A reading with this id was already received with other content; the first one stands."""

    code = "reading_differs"


class IllegalTransition(Conflict):
    """The alert is in a state in which that cannot be done; `allowed` names what can."""

    code = "illegal_transition"


class AcknowledgedBySomebodyElse(Conflict):
    """Somebody else has acknowledged this alert."""

    code = "acknowledged_by_somebody_else"


class TooSevereForBulk(Conflict):
    """A high or critical alert is acknowledged by itself, by somebody who looked at it."""

    code = "too_severe_for_bulk"


class SnoozeForbidden(Conflict):
    """A critical alert and silent hypoxia are never snoozed."""

    code = "snooze_forbidden"


class ReopenTooLate(Conflict):
    """An alert can be reopened within 24 hours of being resolved."""

    code = "reopen_too_late"


class NewerAlertUnresolved(Conflict):
    """A newer alert of this family is unresolved: `alert_id` names it. What was meant is done there."""

    code = "newer_alert_unresolved"


class Gone(WardwatchError):
    """That position is no longer served; take a new snapshot."""

    status, code = 410, "gone"


class TooManyRequests(WardwatchError):
    """Too many requests in a minute; nothing of this one was kept. Send it again after the time in Retry-After."""

    status, code = 429, "too_many_requests"


class Overloaded(WardwatchError):
    """Too much is waiting; nothing of this request was kept. Send it again after the time in Retry-After."""

    status, code = 503, "overloaded"


class DatabaseUnavailable(WardwatchError):
    """The database cannot be reached; the same body may be sent again after the time in Retry-After."""

    status, code = 503, "database_unavailable"


class NotReady(WardwatchError):
    """Requests should not be sent here now."""

    status, code = 503, "not_ready"


class SettingInvalid(WardwatchError):
    """A setting is missing or cannot be used."""

    code = "setting_invalid"
