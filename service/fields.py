"""Scalars shared by tables and schemas: ids, instants, names, texts. Clinical limits come from `alerts`."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

import orjson
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema
from uuid_utils import uuid7

from alerts.advice import must_not_say

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
# Controls, the two line ends that are none of them, and what turns the direction of writing (UAX 9).
_NOT_OF_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*"
MAX_NAME, MAX_EMAIL = 120, 254

NIL_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for "no ward" where a key must not be empty: audit entries of the whole system."""

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "nothing is due": it sorts alike on both databases, and NULL means that nobody has looked yet."""


def new_id() -> str:
    """A new UUIDv7: unique, and ordered by the time it was made."""
    return str(uuid7())


def canonical_id(text: str) -> str | None:
    """The id in its one spelling (lower case, dashes), or None when it is not a UUID at all."""
    lowered = text.lower()
    return lowered if _UUID.fullmatch(lowered) else None


def _refusing(schema: CoreSchema, message: str) -> CoreSchema:
    """The schema; what it refuses is refused as by a function that raises ValueError with the message."""
    return core_schema.custom_error_schema(schema, "value_error", custom_error_context={"error": ValueError(message)})


class _IdInText:
    """Checks ids as `canonical_id` does, but inside pydantic's core: a function of ours costs several times as much,
    and a batch has thousands of ids and instants."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        spelt = core_schema.str_schema(pattern=f"^(?i:{_UUID.pattern})$", to_lower=True)
        return core_schema.chain_schema([handler(source), _refusing(spelt, "must be a UUID")])


Id = Annotated[str, _IdInText(), WithJsonSchema({"type": "string", "format": "uuid"})]

_NO_INSTANT = "must be an RFC 3339 date and time with an offset, such as 2026-11-22T08:00:00Z"
_NO_MOMENT = "must be a day of the calendar and a time from 00:00:00 to 23:59:59, with an offset below 24 hours"
_OUT_OF_TIME = "must be between the years 1900 and 9998"


_MOMENT = TypeAdapter(datetime)


def _instant_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError(_NO_INSTANT)
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        raise ValueError(_NO_MOMENT) from None


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must have an offset")
    # The year as it is written first: at the very ends of the calendar there is no other time zone.
    if not 1900 <= value.year <= 9998 or not 1900 <= value.astimezone(UTC).year <= 9998:
        raise ValueError(_OUT_OF_TIME)
    return value


def utc_text(value: datetime) -> str:
    """An instant as the API writes it: UTC with `Z`."""
    return orjson.dumps(value.astimezone(UTC), option=orjson.OPT_UTC_Z)[1:-1].decode()


class _InstantInJson:
    """Checks instants in JSON as `_instant_text` and `_aware` do, but inside pydantic's core; values of Python go
    through those two."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # The year as it is written, before the offset is taken off; `within` checks the same in UTC.
        year = "^([02-8]|1[0-79]|18[0-8]|189[0-8]|9[0-8]|99[0-8]|999[0-8])"
        within = core_schema.datetime_schema(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))
        steps = [
            _refusing(core_schema.str_schema(pattern=f"^{_RFC3339.pattern}$".replace(r"\d", "[0-9]")), _NO_INSTANT),
            _refusing(core_schema.str_schema(pattern=year), _OUT_OF_TIME),
            _refusing(core_schema.datetime_schema(), _NO_MOMENT),
            _refusing(within, _OUT_OF_TIME),
        ]
        return core_schema.json_or_python_schema(core_schema.chain_schema(steps), handler(source))


Instant = Annotated[
    datetime,
    BeforeValidator(_instant_text),
    AfterValidator(_aware),
    _InstantInJson(),
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware instant: RFC 3339 text in, UTC with `Z` out. Naive, numeric and date-only values are refused."""


def clean_text(value: str) -> str:
    """The text; raises ValueError for what neither database stores: NUL and unpaired surrogates."""
    if _FORBIDDEN.search(value):
        raise ValueError("must not contain NUL or unpaired surrogates")
    return value


def _name(value: str) -> str:
    if _NOT_OF_A_NAME.search(value):
        raise ValueError("must not contain line ends, control characters or changes of the direction of writing")
    return value


def is_name(text: str) -> bool:
    """Whether it can be a `Name`, for who comes by another way than the API."""
    return 1 <= len(text.strip()) <= MAX_NAME and _NOT_OF_A_NAME.search(text) is None


def is_email(text: str) -> bool:
    """Whether it is one e-mail address that a message can be sent to, and to nobody else: what browsers take in a field
    for one (HTML), which has no quotes, comments, lists or spaces."""
    return len(text) <= MAX_EMAIL and re.fullmatch(_EMAIL, text) is not None


CleanText = Annotated[str, AfterValidator(clean_text)]
# Constraints come before the check: after it, pydantic counts the characters before it strips them, and by a function
# of Python, which a batch would call thousands of times.
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME), AfterValidator(_name)
]
"""What somebody or something is called: one line, which reads the same wherever it is shown."""
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_EMAIL, pattern=f"^{_EMAIL}$")]
"""An e-mail address, as `is_email` says; spaces around it are left out."""
LongText = Annotated[str, StringConstraints(max_length=2000), AfterValidator(clean_text)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(clean_text)
]
"""What somebody says, such as a reason: spaces around it are left out, and spaces alone say nothing."""


def _for_patients(value: str | None) -> str | None:
    if value is not None and must_not_say(value):
        raise ValueError("must not reassure, promise that somebody is watching, or ask for a change of oxygen")
    return value


PatientText = Annotated[LongText | None, AfterValidator(_for_patients)]
"""A team's own words to its patients."""
ClientKey = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(clean_text)]
"""An id chosen by a sender: the sender's name for one reading or one request."""

Version = Annotated[int, Field(strict=True, ge=1)]
SeenVersion = Annotated[Version | None, Field(description="The version you saw, if not in If-Match")]

Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+() .-]{3,40}$")]


def not_null(value: Any) -> Any:
    """For a field of a patch that may be left out but not set to null. A field left out is not validated."""
    if value is None:
        raise ValueError("cannot be null")
    return value


def _day_text(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day, such as 1950-06-30")
    return value


Day = Annotated[date, BeforeValidator(_day_text)]
"""A calendar day as `YYYY-MM-DD`; nothing else, no number and no instant."""
