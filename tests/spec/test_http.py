"""Every clinical scenario over HTTP, on both databases: what the engine decides is what the queue shows.

Time is the scenario's: the clock of the service is put to each step's receipt, and to the end of a wait."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.fields import utc_text
from tests.spec.scenario import Alert, Scenario, Step
from tests.spec.scenarios import SCENARIOS
from tests.support.time import SettableClock
from tests.support.wards import Partner, reading

START = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
NOT_SENT = {"at", "received", "then"}


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


async def play(app: FastAPI, partner: Partner, clock: SettableClock, scenario: Scenario, stay_id: str) -> Any:
    """Go through the steps; gives the answer to the last reading."""
    answer: Any = None
    for step in scenario.steps:
        clock.set(minutes(step.get("received", step["at"])))
        if "then" in step:
            await act(partner, clock, stay_id, **step["then"])
        else:
            answer = await send(partner, stay_id, step)
    if scenario.wait_until is not None:
        clock.set(minutes(scenario.wait_until))
        await app.state.timekeeper.catch_up()
    return answer


async def send(partner: Partner, stay_id: str, step: Step) -> Any:
    fields = {name: value for name, value in step.items() if name not in NOT_SENT}
    body = {"stay_id": stay_id, "observed_at": utc_text(minutes(step["at"])), **fields}
    answer = await partner.ask("POST", "/v1/readings", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(partner: Partner, clock: SettableClock, stay_id: str, **then: Any) -> None:
    ((verb, subject),) = then.items()
    if verb == "plan":
        version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
        answer = await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", {**subject, "version": version})
    elif verb == "pause":
        version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
        until = utc_text(clock.now() + timedelta(minutes=subject))
        body = {"until": until, "reason": "at the hospital", "version": version}
        answer = await partner.ask("POST", f"/v1/stays/{stay_id}/pause", body)
    else:
        (alert,) = [each for each in await partner.alerts(stay_id) if each["family"] == subject]
        body = {
            "acknowledge": {"version": alert["version"]},
            "contact": {"method": "phone", "result": "reached"},
            "resolve": {"version": alert["version"], "outcome": "other"},
        }[verb]
        answer = await partner.ask("POST", f"/v1/alerts/{alert['id']}/{verb}", body)
    assert answer.status_code == 200, answer.text


def shown(alert: dict[str, Any], wanted: Alert) -> Alert:
    """The fields of an alert a scenario speaks of."""
    last_breach = datetime.fromisoformat(alert["last_breach_at"])
    fields = {
        **alert,
        "rule_ids": alert["explanation"]["rule_ids"],
        "recovered": alert["recovered_at"] is not None,
        "respond_within": alert["respond_by"]
        and (datetime.fromisoformat(alert["respond_by"]) - last_breach) / timedelta(minutes=1),
    }
    return {name: fields[name] for name in wanted}


def answered(answer: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    news2, assessment = answer["news2"], answer["assessment"]
    recheck_by, received_at = assessment["recheck_by"], datetime.fromisoformat(answer["received_at"])
    fields = {
        **answer,
        **assessment,
        "news2_total": news2["total"],
        "news2_minimum": news2["minimum_total"],
        "news2_risk": news2["risk"],
        "news2_scores": news2["scores"],
        "recheck_within": recheck_by and (datetime.fromisoformat(recheck_by) - received_at) / timedelta(minutes=1),
    }
    return {name: fields[name] for name in wanted}


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if not each.refused], ids=lambda each: each.name)
async def test_scenario(app: FastAPI, partner: Partner, clock: SettableClock, scenario: Scenario) -> None:
    clock.set(START)
    stay_id = await partner.admit(**scenario.plan)
    answer = await play(app, partner, clock, scenario, stay_id)
    queue = sorted(await partner.alerts(stay_id), key=lambda alert: alert["family"])
    queue = [alert for alert in queue if scenario.speaks_of(alert["family"])]
    expected = sorted(scenario.expect, key=lambda alert: alert["family"])
    assert [alert["family"] for alert in queue] == [alert["family"] for alert in expected]
    assert [shown(*pair) for pair in zip(queue, expected, strict=True)] == expected
    assert not scenario.answers or answered(answer, scenario.answers) == scenario.answers


@pytest.mark.hazard("H8")
async def test_what_cannot_be_a_value_is_refused_and_leaves_nothing(partner: Partner, clock: SettableClock) -> None:
    for scenario in (each for each in SCENARIOS if each.refused):
        stay_id = await partner.admit(**scenario.plan)
        (step,) = scenario.steps
        body = reading(stay_id, clock.now(), spo2="?")
        text = httpx.Request("POST", "/", json=body).content.replace(b'"?"', _json(step["spo2"]))
        headers = {**partner.headers, "Content-Type": "application/json"}
        answer = await partner.http.post("/v1/readings", content=text, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/spo2"), scenario.name
        assert await partner.history(stay_id) == await partner.alerts(stay_id) == []


def _json(value: Any) -> bytes:
    """As a careless sender writes it: NaN too."""
    return b"NaN" if value != value else httpx.Request("POST", "/", json=value).content  # noqa: PLR0124
