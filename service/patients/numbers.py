"""The numbers by which a person is known."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from service.errors import FieldError, Invalid

_SEPARATORS = re.compile(r"[\s-]+")


class Identifier(NamedTuple):
    """A number of a system: `nhs_number` as ten digits, `mrn` (the hospital's own) as it is written there."""

    system: str
    value: str


def nhs_number(text: str) -> str | None:
    """The ten digits of an NHS number written with or without spaces and dashes, or None when it is none.

    No range is refused, so that test numbers (999 …) can be used."""
    digits = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"[0-9]{10}", digits, re.ASCII):
        return None
    # Ten noughts pass the sum and are what a system sends that has no number.
    return digits if check_digit(digits[:9]) == digits[9] and int(digits) else None


def check_digit(nine_digits: str) -> str | None:
    """The tenth digit of an NHS number (modulus 11, NHS Data Dictionary); None where there is no number with these."""
    weighted = sum(int(digit) * weight for digit, weight in zip(nine_digits, range(10, 1, -1), strict=True))
    check = (11 - weighted % 11) % 11
    return None if check == 10 else str(check)


def identifier(system: str, value: str) -> Identifier:
    """The identifier as it is stored; raises ValueError, without the value in it."""
    if system == "mrn":
        cleaned = value.strip()
        if not cleaned or not cleaned.isprintable():
            raise ValueError("must be 1 to 64 printable characters")
        return Identifier(system, cleaned)
    digits = nhs_number(value)
    if digits is None:
        raise ValueError("must be a valid NHS number: ten digits, the last a check digit")
    return Identifier(system, digits)


def require_synthetic(given: Iterable[Identifier]) -> None:
    """Raises Invalid unless every NHS number begins with 9: those are for tests and are given to nobody.

    For a service that must never hold a real person (`WARDWATCH_SYNTHETIC_ONLY`)."""
    for place, each in enumerate(given):
        if each.system == "nhs_number" and not each.value.startswith("9"):
            message = "must be a test number, which begins with 9: no real person is kept here"
            raise Invalid(errors=[FieldError(f"/identifiers/{place}/value", "not_synthetic", message)])
