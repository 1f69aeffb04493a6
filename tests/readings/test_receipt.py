"""Why a reading raised an alert, or did not: judged again from what was stored and known then."""

import random
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from alerts.rules import RULES
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, open_partner, reading, rows_of

PLAN = METADATA.tables["plan"]
AMBER = {"spo2": 93, "breathlessness": 0}


async def receipt(partner: Partner, reading_id: str) -> Any:
    return await partner.get(f"/v1/readings/{reading_id}/evaluation")


def by_rule(said: Any) -> dict[str, Any]:
    return {f"{rule['rule_id']}:{rule['aspect']}".rstrip(":"): rule for rule in said["rules"]}


async def test_a_receipt_names_every_rule_with_its_numbers(partner: Partner, stay_id: str) -> None:
    sent = await partner.kept(stay_id, **AMBER)
    said = await receipt(partner, sent["reading_id"])
    assert (said["judged"], said["severity"], said["severity_at_receipt"]) == (True, "high", "high")
    assert (said["placement"], said["plan_version"], said["quality"]) == ("live", 1, "unknown")
    assert said["text"] == "2 of the rules fired: spo2 amber, silent hypoxia."
    assert said["news2"] == sent["news2"]
    rules = by_rule(said)
    assert list(rules) == [rule.key for rule in RULES]
    silent = rules["R3"]
    assert (silent["outcome"], silent["severity"], silent["reason"]) == ("fired", "high", "met")
    assert {each["name"]: each["value"] for each in silent["inputs"]} == {"spo2": 93, "breathlessness": 0}
    assert silent["inputs"][0]["reading_id"] == sent["reading_id"]
    assert {each["name"]: each["value"] for each in silent["limits"]} == {"red_at": 92, "amber_at": 94}
    red = rules["R1"]
    assert (red["outcome"], red["margin"]["distance"], red["margin"]["unit"]) == ("not_fired", 1, "%")
    assert rules["R13:temperature"]["outcome"] == "not_applicable"


async def test_a_receipt_keeps_to_what_was_known_and_in_force_then(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    quiet = (await partner.kept(stay_id, spo2=94, breathlessness=0))["reading_id"]
    clock.advance(minutes=5)
    stay = await partner.get(f"/v1/stays/{stay_id}")
    changed = await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", {"baseline_spo2": 99, "version": stay["version"]})
    assert changed.status_code == 200, changed.text
    clock.advance(minutes=5)
    await partner.kept(stay_id, spo2=94, breathlessness=0, observed_at=(START + timedelta(minutes=10)).isoformat())
    late = await partner.kept(stay_id, spo2=90, observed_at=(START - timedelta(minutes=30)).isoformat())
    first = await receipt(partner, quiet)
    assert (first["plan_version"], first["severity"], first["readings_known"]) == (1, "medium", 0)
    assert by_rule(first)["R5"]["reason"] == "not_in_plan"
    second = await receipt(partner, late["reading_id"])
    assert (second["plan_version"], second["placement"], second["in_order"]) == (2, "retrospective", False)
    assert (second["readings_known"], second["severity"]) == (2, "high")


async def test_every_receipt_says_what_was_decided_when_the_reading_came(
    partner: Partner, stay_id: str, clock: SettableClock, database: Database
) -> None:
    dice = random.Random(5)
    for _ in range(12):
        clock.advance(minutes=dice.choice((3, 20, 300)))
        rows = []
        for _ in range(dice.choice((1, 1, 3))):
            at = clock.now() - timedelta(minutes=dice.choice((0, 0, 50, 700, -30)))
            rows.append(reading(stay_id, at, spo2=dice.randint(45, 99), context=dice.choice(("rest", "sleep"))))
        answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
        assert answer.json()["created"] == len(rows)
        for kept in answer.json()["results"]:
            told = kept["reading"]
            said = await receipt(partner, told["reading_id"])
            fired = [rule["text"] for rule in said["rules"] if rule["outcome"] == "fired"]
            assert sorted(fired) == sorted(each["explanation"] for each in told["assessment"]["findings"])
            assert said["severity"] == said["severity_at_receipt"] == told["assessment"]["severity"]
    for row in await rows_of(database, "reading", stay_id=stay_id):
        said = await receipt(partner, row.id)
        assert said["severity"] == said["severity_at_receipt"], "what came later changed what was known then"


async def test_a_plan_that_cannot_be_read_is_said(partner: Partner, stay_id: str, database: Database) -> None:
    sent = await partner.kept(stay_id, spo2=90)
    async with writing(database) as session:
        await session.execute(update(PLAN).where(PLAN.c.stay_id == stay_id).values(red_at=50))
    said = await receipt(partner, sent["reading_id"])
    assert (said["judged"], said["not_judged"], said["rules"]) == (False, "plan_unreadable", [])
    assert said["severity_at_receipt"] == "critical"
    assert "plan of that moment cannot be read" in said["text"]


async def test_rules_that_fail_on_a_reading_are_said(partner: Partner, stay_id: str, database: Database) -> None:
    sent = await partner.kept(stay_id, spo2=97)
    table = METADATA.tables["reading"]
    async with writing(database) as session:
        await session.execute(update(table).where(table.c.stay_id == stay_id).values(consciousness="nonsense"))
        await session.execute(update(table).where(table.c.stay_id == stay_id).values(symptoms="nonsense"))
    said = await receipt(partner, sent["reading_id"])
    assert (said["judged"], said["not_judged"]) == (False, "engine_failed")


@pytest.mark.parametrize("reading_id", ["nonsense", "0190a6e0-0000-7000-8000-000000000000"])
async def test_a_reading_that_is_none_is_not_found(partner: Partner, reading_id: str) -> None:
    assert (await partner.ask("GET", f"/v1/readings/{reading_id}/evaluation")).status_code == 404


async def test_another_wards_receipt_is_not_found(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    sent = await partner.kept(stay_id, spo2=90)
    stranger = await open_partner(http, database)
    answer = await stranger.ask("GET", f"/v1/readings/{sent['reading_id']}/evaluation")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    sender = await open_partner(http, database, partner.ward_id, ["readings:write"])
    assert (await sender.ask("GET", f"/v1/readings/{sent['reading_id']}/evaluation")).status_code == 403
