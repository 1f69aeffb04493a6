"""How many requests a minute, and which pages may call: what the settings say."""

import pytest

from service.access.principals import Principal
from service.access.rates import OF_PEOPLE, PER_MINUTE, Rates
from service.errors import TooManyRequests
from service.fields import new_id
from service.settings import SettingInvalid, from_environ


def somebody(kind: str = "staff") -> Principal:
    return Principal(new_id(), kind, "Sam", frozenset(), {})  # type: ignore[arg-type]


def test_the_defaults_are_those_of_the_contract() -> None:
    rates = Rates()
    for who, limit in ((somebody(), OF_PEOPLE), (somebody("client"), PER_MINUTE["client"])):
        for _ in range(limit):
            rates.take(who)
        with pytest.raises(TooManyRequests):
            rates.take(who)
    assert (OF_PEOPLE, PER_MINUTE["client"]) == (600, 6000)


def test_nought_is_no_limit() -> None:
    rates, who = Rates(0), somebody()
    assert {rates.take(who) for _ in range(10_000)} == {None}


def test_a_window_ends() -> None:
    now = 1000.0
    rates, who = Rates(1, lambda: now), somebody()
    rates.take(who)
    with pytest.raises(TooManyRequests) as refused:
        rates.take(who)
    assert refused.value.headers["Retry-After"] == "61"
    now += 60
    assert rates.take(who) == b'"minute";r=0;t=61'


def test_what_is_remembered_is_bounded() -> None:
    rates = Rates(most=50)
    for _ in range(200):
        rates.take(somebody())
    assert len(rates._windows) == 50


@pytest.mark.parametrize(
    "given", ["*", "board.ward.test", "https://a.test/", "https://*.test", "https://u@a.test", "x://a"]
)
def test_an_origin_that_lets_too_much_in_is_refused(given: str) -> None:
    with pytest.raises(SettingInvalid, match="WARDWATCH_CORS_ORIGINS"):
        from_environ({"WARDWATCH_CORS_ORIGINS": given})


def test_origins_are_read_one_by_one() -> None:
    found = from_environ({"WARDWATCH_CORS_ORIGINS": "https://a.test, http://localhost:3000"}).cors_origins
    assert found == ("https://a.test", "http://localhost:3000")
