"""The scalars that tables and schemas share."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from service.app import ROUTERS
from service.body import Schema
from service.fields import (
    CleanText,
    Email,
    Id,
    Instant,
    Name,
    canonical_id,
    is_email,
    is_name,
    new_id,
    utc_text,
)


class Shown(BaseModel):
    at: Instant | None = None
    id: Id | None = None
    text: CleanText | None = None
    name: Name | None = None
    email: Email | None = None


def accepts(**value) -> bool:
    try:
        Shown(**value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T08:00:00",
        "2026-11-22",
        "08:00:00Z",
        "0",
        0,
        1795334400,
        1795334400.5,
        True,
        "1795334400",
        "2026-11-22T08:00Z",
        "2026-11-22T08:00:00+0000",
        "2026-11-22T08:00:00 +00:00",
        " 2026-11-22T08:00:00Z",
        "2026-11-22T08:00:00Z\n",
        "2026-13-01T00:00:00Z",
        "2026-11-22T24:01:00Z",
        "\uff12026-11-22T08:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        datetime(2026, 11, 22, 8, 0),  # noqa: DTZ001
    ],
    ids=repr,
)
def test_a_time_that_is_not_an_rfc_3339_instant_is_refused(value) -> None:
    assert not accepts(at=value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:00:00Z",
        "2026-11-22t08:00:00z",
        "2026-11-22T09:00:00.000+01:00",
        "2026-11-22 03:00:00-05:00",
    ],
)
def test_the_same_instant_is_accepted_in_every_rfc_3339_spelling_and_shown_in_one(text: str) -> None:
    shown = Shown(at=text)
    assert shown.at == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert shown.model_dump(mode="json", exclude_none=True) == {"at": "2026-11-22T08:00:00Z"}


@given(st.datetimes(datetime(1900, 1, 2), datetime(9998, 12, 30)), st.integers(-840, 840))  # noqa: DTZ001
def test_every_instant_survives_the_way_out_and_back(at: datetime, offset: int) -> None:
    aware = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert Shown(at=utc_text(aware)).at == aware


def said(check: Callable[[], Any]) -> Any:
    """What comes of a check: the value with its offset, or what is wrong."""
    try:
        value = check()
    except ValidationError as problem:
        return [(each["type"], each["msg"]) for each in problem.errors()]
    return value, value.utcoffset() if isinstance(value, datetime) else None


WRITTEN = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
INSTANTS = st.one_of(
    st.sampled_from(
        ["1899-12-31T23:30:00-01:00", "1900-01-01T00:30:00+01:00", "9999-01-01T00:30:00+01:00",
         "9998-12-31T23:30:00-01:00", "1900-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z", "9899-01-01T00:00:00Z",
         "9989-01-01T00:00:00Z", "2026-11-22T08:00:00Z\n", "2026-11-22T08:00:00+24:00", "2026-02-30T08:00:00Z",
         "\uff12026-11-22T08:00:00Z", "2026-11-22T08:00:00", 5, 1.5, True, None, [], {}, ""]
    ),
    st.from_regex(r"\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
                  r"(\.[0-9]{1,9})?([Zz]|[+-][01][0-9]:[0-5][0-9])\Z"),
    st.from_regex(r"\A[012][0-8]{3}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9:]{5})\Z"),
)  # fmt: skip


@settings(max_examples=400)
@given(INSTANTS)
def test_an_instant_in_a_body_is_what_it_is_in_an_address(value: Any) -> None:
    kind: TypeAdapter[datetime] = TypeAdapter(Instant)
    assert said(lambda: kind.validate_json(json.dumps(value))) == said(lambda: kind.validate_python(value))


@pytest.mark.parametrize("value", ["2026-02-30T08:00:00Z", "2016-12-31T23:59:60Z", "2026-11-22T08:00:00+24:00"])
def test_a_moment_that_is_not_there_is_refused_in_our_words(value: str) -> None:
    ((kind, message),) = said(lambda: TypeAdapter(Instant).validate_json(json.dumps(value)))
    assert (kind, message.startswith("Value error, must be a day of the calendar")) == ("value_error", True)


@given(st.one_of(st.from_regex(WRITTEN), st.from_regex(WRITTEN, fullmatch=True), st.text(), st.none(), st.integers()))
def test_an_id_in_a_body_is_the_one_that_the_text_names(value: Any) -> None:
    kind: TypeAdapter[str] = TypeAdapter(Id)
    named = canonical_id(value) if isinstance(value, str) else None
    found = said(lambda: kind.validate_json(json.dumps(value)))
    if named is not None:
        assert found == (named, None)
    else:
        wrong = [("value_error", "Value error, must be a UUID")]
        assert found == (wrong if isinstance(value, str) else [("string_type", "Input should be a valid string")])


def test_ids_are_ordered_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_an_id_has_one_spelling() -> None:
    plain = new_id()
    assert canonical_id(plain.upper()) == plain
    assert Shown(id=plain.upper()).id == plain


@pytest.mark.parametrize("text", ["", "1", "0" * 32, "{" + "0" * 36 + "}", "urn:uuid:" + "0" * 36, "é" * 36])
def test_what_is_no_uuid_is_no_id(text: str) -> None:
    assert canonical_id(text) is None
    assert not accepts(id=text)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\udfff"])
def test_texts_no_database_can_keep_are_refused(text: str) -> None:
    assert not accepts(text=text)


@pytest.mark.parametrize("text", ["", "   ", "n" * 121])
def test_a_name_is_neither_empty_nor_endless(text: str) -> None:
    assert not accepts(name=text)


@pytest.mark.parametrize(
    "mark", ["\r\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800", "\x00"], ids=ascii
)
def test_a_name_is_one_line_that_reads_the_same_everywhere(mark: str) -> None:
    assert not accepts(name=f"Ada{mark}Example")
    assert not is_name(f"Ada{mark}Example")


@pytest.mark.parametrize(
    "text", ["Ada", "Zoë O'Brien-Jones", "Ngũgĩ wa Thiong'o", "李小龍", "محمد", "Nnamdi 🙂", "n" * 120]
)
def test_peoples_names_are_names(text: str) -> None:
    assert accepts(name=text)
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "a@", "@b.test", "a", "a@@x.test", "a@x.test,b@evil.test", "a@x.test b@evil.test", "<script>@x.test",
        "a@x.test\nBcc: b@evil.test", "a@x.test\x00", '"a b"@x.test', "a(b)@x.test", "a@-x.test", "a@x..test",
        "a@.test", "a@x.test.", "<>", "Ada <a@x.test>", "a@[127.0.0.1]", "é@x.test", "a@\u202ex.test",
        f"{'a' * 65}@x.test", f"a@{'b' * 64}.test", "a@" + ".".join(["b" * 60] * 5),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_reaches_nobody_or_somebody_else_is_no_address(text: str) -> None:
    assert not accepts(email=text)
    assert not is_email(text)


@pytest.mark.parametrize("text", ["a@b", "nurse@ward.test", "Sam.O'Brien+ward@x-y.nhs.example", "a@b.c.d.e"])
def test_plain_addresses_are_addresses(text: str) -> None:
    assert Shown(email=f" {text} ").email == text
    assert is_email(text)


def test_spaces_around_a_name_do_not_count() -> None:
    assert Shown(name="  Ada ").name == "Ada"


def test_limits_given_as_annotations_stand_in_the_schema() -> None:
    schema = Shown.model_json_schema()["properties"]
    assert {"type": "string", "format": "date-time"} in schema["at"]["anyOf"]
    assert {"type": "string", "maxLength": 120, "minLength": 1} in schema["name"]["anyOf"]


LOOKED_INTO_LATER = {
    ("NewPasswordIn", "token"), ("OtpIn", "code"), ("QueueQuery", "cursor"), ("_Envelope", "readings"),
    ("PlanIn", "reading_times"), ("PlanPatch", "reading_times"), ("RuleSetIn", "off"),
}  # fmt: skip
"""Hashed, or compared with what may be there, before a database sees them."""


def schemas(of: type[Schema] = Schema) -> Iterator[type[Schema]]:
    for each in of.__subclasses__():
        if each.__module__.startswith("service."):
            yield each
        yield from schemas(each)


def takes(schema: type[Schema], name: str, value: Any) -> bool:
    field = schema.model_fields[name]
    kind: Any = field.annotation
    for each in field.metadata:
        kind = Annotated[kind, each]
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("text", ["a\0b", "a\0b" * 8, "a\ud800b"])
def test_no_field_of_a_body_takes_a_text_that_no_database_stores(text: str) -> None:
    assert ROUTERS  # they bring every schema with them
    fields = {(schema, name) for schema in schemas() for name in schema.model_fields}
    assert len(fields) > 100
    taken = {(s.__name__, n) for s, n in fields if any(takes(s, n, each) for each in (text, [text], {text: text}))}
    assert taken <= LOOKED_INTO_LATER
