"""Of a refused reading nothing stays but that it came; the second within a day is an alert (R20)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from service.storage.engine import Database
from tests.readings.refused import assert_refused, send_text
from tests.support.time import SettableClock
from tests.support.wards import Partner, everything_in, reading, rows_of

SENTINEL = "Zebedee-4711"


async def test_a_refused_value_is_neither_echoed_nor_kept(
    partner: Partner, stay_id: str, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong: list[dict[str, Any]] = [
        {name: SENTINEL}
        for name in (
            "spo2",
            "pulse_rate",
            "observed_at",
            "consciousness",
            "context",
            "feeling",
            "source",
            "device",
        )
    ]
    wrong += [{"symptoms": [SENTINEL]}, {"oxygen": SENTINEL}, {"spo2": 101.4711, "entered_by": SENTINEL}]
    wrong += [{"device": {"id": SENTINEL, "model": SENTINEL, "serial": SENTINEL}}, {"pulse_rate": 4711}]
    for fields in wrong:
        answer = await partner.send(stay_id, **{"client_reading_id": SENTINEL, **fields})
        assert_refused(answer, 422, "invalid")
        assert "4711" not in answer.text
    rows = [reading(stay_id, **{"client_reading_id": SENTINEL, **fields}) for fields in wrong]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert answer.json()["rejected"] == len(wrong)
    assert "4711" not in answer.text
    for text in (f'{{"spo2": "{SENTINEL}"', json.dumps(SENTINEL), json.dumps({"stay_id": SENTINEL})):
        assert SENTINEL not in (await send_text(partner, text)).text
    assert "4711" not in await everything_in(database)
    assert "4711" not in "".join(capfd.readouterr())


async def technical(partner: Partner, stay_id: str) -> list[tuple[str, str]]:
    return [
        (alert["title"], alert["severity"])
        for alert in await partner.alerts(stay_id)
        if alert["channel"] == "technical"
    ]


async def test_the_second_refusal_within_a_day_is_an_alert_until_one_is_accepted(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.send(stay_id, spo2=101)
    assert await technical(partner, stay_id) == []
    clock.advance(hours=23, minutes=59)
    await partner.send(stay_id, spo2="94%", observed_at=clock.now())
    assert await technical(partner, stay_id) == [("refused", "medium")]
    clock.advance(minutes=5)
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    assert await technical(partner, stay_id) == []


async def test_refusals_a_day_apart_to_the_second_are_an_alert_as_in_the_engine(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.send(stay_id, spo2=101)
    clock.advance(hours=24)
    await partner.send(stay_id, spo2=101)
    assert await technical(partner, stay_id) == [("refused", "medium")]


async def test_refusals_more_than_a_day_apart_are_no_alert(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.send(stay_id, spo2=101)
    clock.advance(hours=24, minutes=1)
    await partner.send(stay_id, spo2=101)
    assert await technical(partner, stay_id) == []


async def test_refusals_of_two_stays_are_not_added_up(partner: Partner, stay_id: str) -> None:
    other = await partner.admit()
    for each in (stay_id, other):
        await partner.send(each, spo2=101)
        assert await technical(partner, each) == []


@pytest.mark.parametrize("fields", [{"source": "staff"}, {"oxygen": 1}, {"observed_at": "now"}])
async def test_every_kind_of_invalid_reading_counts(partner: Partner, stay_id: str, fields: dict[str, Any]) -> None:
    for _ in range(2):
        assert_refused(await partner.send(stay_id, **fields), 422, "invalid")
    assert await technical(partner, stay_id) == [("refused", "medium")]


async def test_refused_rows_of_a_batch_count(partner: Partner, stay_id: str) -> None:
    rows = [reading(stay_id, spo2=101), reading(stay_id, source="staff")]
    await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert await technical(partner, stay_id) == [("refused", "medium")]


async def test_what_time_brought_about_is_told_when_a_refusal_is_noted(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    """The ward's events and counts follow, whatever made somebody look at the clock."""
    await partner.kept(stay_id, spo2=93)
    clock.advance(minutes=20)
    await partner.send(stay_id, spo2=101)
    (alert,) = await partner.alerts(stay_id)
    assert alert["severity"] == "high"
    assert (await partner.events())[-1]["type"] == "alert.worsened"
    counts = (await partner.get("/v1/alerts"))["meta"]["counts"]
    assert (counts["by_severity"]["high"], counts["by_severity"]["medium"]) == (1, 0)


async def test_a_refusal_says_when_and_why_but_not_what(
    partner: Partner, stay_id: str, database: Database, clock: SettableClock
) -> None:
    clock.advance(minutes=1)
    await partner.send(stay_id, spo2=101)
    (row,) = await rows_of(database, "refusal")
    assert (row.stay_id, row.code) == (stay_id, "less_than_equal")
    assert row.at - clock.now() < timedelta(seconds=1)


async def test_other_content_under_a_name_that_was_taken_counts_as_refused(partner: Partner, stay_id: str) -> None:
    assert (await partner.send(stay_id, client_reading_id="one", spo2=97)).status_code == 201
    assert (await partner.send(stay_id, client_reading_id="one", spo2=96)).status_code == 409
    assert await partner.alerts(stay_id) == []
    row = reading(stay_id, client_reading_id="one", spo2=95)
    assert (await partner.ask("POST", "/v1/readings/batch", {"readings": [row]})).json()["rejected"] == 1
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["channel"]) == ("refused", "technical")
