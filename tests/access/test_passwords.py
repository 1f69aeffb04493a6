"""Which passwords are taken."""

import pytest

from service.access.passwords import weakness_of

EMAIL = "Nurse.Jones@ward.test"


@pytest.mark.parametrize("text", ["a" * 16, "abababababab", " " * 12, "1221122112211", "aAaAaAaAbBcCdD"])
def test_a_few_characters_again_and_again_are_refused(text: str) -> None:
    assert "different characters" in str(weakness_of(text, EMAIL))


@pytest.mark.parametrize(
    "text",
    [
        "password1234", "Password!2026", "!!Welcome 2026", "passw0rd12345", "P@ssw0rd2026!", "passwordpassword",
        "letmein-welcome", "qwertyuiop12", "iloveyou12345", "administrator1", "wardwatch2026", "123456789012",
        "2026-11-22 10:00",
        "nurse.jones@ward.test", "NURSE.JONES@ward.test!1", "nursejones12", "jones.nurse.ward", "<<nurse.jones>>",
    ],
)  # fmt: skip
def test_common_words_the_own_address_digits_and_signs_are_no_password(text: str) -> None:
    assert "common words" in str(weakness_of(text, EMAIL))


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery", "a long enough password", "Quagga's long password", "8#kQ2!9$vX1?",
        "пароль моей кошки", "demo-lead-123456", "demo-administrator-000123", "jones likes trains", "xkcd-936-staple",
    ],
)  # fmt: skip
def test_what_has_more_in_it_is_taken(text: str) -> None:
    assert weakness_of(text, EMAIL) is None


def test_without_an_address_nothing_else_changes() -> None:
    assert weakness_of("nurse.jones@ward.test", "") is None
    assert weakness_of("password1234", "") is not None
