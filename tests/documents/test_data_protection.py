"""The page on data protection says what the code does."""

import re

from service.governance.blanking import BLANKS, DELETED
from service.governance.held import PARTS
from service.governance.terms import CHILD_UNTIL, FAMILY_AFTER, IDEMPOTENCY_AFTER, NEARLY_ADULT_UNTIL
from service.settings import Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "data-protection.md").read_text(encoding="utf-8")


def test_every_table_that_holds_something_on_a_patient_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.partition("## How long")[0]))
    assert {part.table.name for part in PARTS} <= named
    assert {*BLANKS, *DELETED} <= named


def test_the_terms_are_those_of_the_code() -> None:
    for text in (
        f"`WARDWATCH_RETENTION_YEARS` ({Settings().retention_years})",
        f"{Settings().retention_years} years after the last discharge",
        f"{IDEMPOTENCY_AFTER.days} days after the stay",
        f"{FAMILY_AFTER.days} days after the end of a sign-in",
        f"until the {CHILD_UNTIL}th birthday",
        f"17 until the {NEARLY_ADULT_UNTIL}th",
    ):
        assert text in PAGE, text
