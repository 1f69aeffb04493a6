"""Messages to people out of sight: kept with the alert, sent at least once, and never a word about whom."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from service.cover import outbox
from service.cover.inforce import load_cover
from service.cover.mail import server_of
from service.cover.mailing import Mailing
from service.cover.outbox import AGAIN_AFTER, Told
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.hospital import Headers, Hospital
from tests.conftest import SECRET_KEY
from tests.support.mail import Box, serving
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, open_partner, rows_of

NIGHT = "night.desk@hospital.example"


@pytest.fixture
def box() -> Iterator[Box]:
    with serving() as made:
        yield made


@pytest.fixture
def settings(database_url: str, box: Box) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key=SECRET_KEY,
        timers=False,
        smtp_url=f"smtp+plain://127.0.0.1:{box.port}",
        mail_from="wardwatch@hospital.example",
        public_url="https://wards.hospital.example",
    )


@pytest.fixture
async def lead(hospital: Hospital, partner: Partner) -> Headers:
    """The header of the ward's lead, whose ward tells who is on duty by e-mail at once, and its night desk."""
    header = await hospital.lead(partner.ward_id)
    shift = {"starts": "08:00", "ends": "20:00", "staff_id": await hospital.staff_id(partner.ward_id)}
    coverage = {
        "service_hours": {"week": {"sunday": [{"starts": "08:00", "ends": "20:00"}]}},
        "on_duty": {"week": {"sunday": [shift]}},
        "version": 1,
    }
    steps = [
        {"after_minutes": 0, "notify": "on_duty", "channel": "email"},
        {"after_minutes": 15, "notify": "lead", "channel": "queue"},
        {"after_minutes": 30, "notify": "out_of_hours", "channel": "email"},
    ]
    policy = {"steps": steps, "out_of_hours_email": NIGHT, "version": 1}
    for path, body in (("coverage", coverage), ("escalation-policy", policy)):
        answer = await hospital.client.put(f"/v1/wards/{partner.ward_id}/{path}", headers=header, json=body)
        assert answer.status_code == 200, answer.text
    return header


async def raise_one(partner: Partner, **reading: Any) -> str:
    """The id of a new critical alert."""
    stay_id = await partner.admit()
    await partner.kept(stay_id, **{"spo2": 88, "breathlessness": 1, **reading})
    return str((await partner.alerts(stay_id))[0]["id"])


async def send(app: FastAPI) -> None:
    """Send what is due now."""
    mailing = Mailing(app.state.database, server_of(app.state.settings))
    now = app.state.clock.now()
    for ward_id in (await mailing.find_due(now)).wards:
        while await mailing.carry_out(ward_id, now):
            continue


async def test_a_critical_alert_tells_who_is_on_duty_at_once_and_names_nobody(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, database: Database
) -> None:
    alert_id = await raise_one(partner)
    await send(app)
    [message] = box.messages
    [on_duty] = [row for row in await rows_of(database, "staff") if row.email == message["To"]]
    assert on_duty.id in [row.staff_id for row in await rows_of(database, "membership", role="clinician")]
    assert message["Subject"] == "Wardwatch: critical alert on Ash"
    text = message.get_content()
    assert f"https://wards.hospital.example/v1/alerts/{alert_id}" in text
    for secret in ("Okafor", "Ada", "1950", "88", "hypoxia", "SpO2"):
        assert secret not in text.replace(alert_id, "")
    [row] = await rows_of(database, "notice")
    assert (row.state, row.attempts, row.problem) == ("sent", 1, None)
    await send(app)
    assert len(box.messages) == 1


async def test_it_is_kept_with_the_alert_or_not_at_all(partner: Partner, lead: Headers, database: Database) -> None:
    alert_id = await raise_one(partner)
    [row] = await rows_of(database, "notice")
    assert (row.alert_id, row.recipient, row.state, row.due_at) == (alert_id, None, "waiting", START)
    with pytest.raises(LookupError):
        async with writing(database) as session:
            cover = await load_cover(session, partner.ward_id)
            await outbox.notify(session, cover, [Told(alert_id, 4, 0, START)])
            raise LookupError
    assert len(await rows_of(database, "notice")) == 1


async def test_a_mild_alert_and_a_ward_without_such_a_policy_send_nothing(
    hospital: Hospital, partner: Partner, lead: Headers, client: httpx.AsyncClient, database: Database
) -> None:
    await raise_one(partner, spo2=94, breathlessness=1)
    await raise_one(await open_partner(client, database))
    assert await rows_of(database, "notice") == []


async def test_the_steps_of_an_escalation_go_to_their_people(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, database: Database
) -> None:
    alert_id = await raise_one(partner, spo2=97, symptoms=["chest_pain"])
    async with writing(database) as session:
        cover = await load_cover(session, partner.ward_id)
        await outbox.notify(session, cover, [Told(alert_id, 4, step, START) for step in (1, 2)])
    await send(app)
    assert len(box.messages) == 2
    assert NIGHT in box.recipients


async def test_when_nobody_is_there_nothing_is_sent_and_the_outbox_says_so(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, clock: SettableClock, database: Database
) -> None:
    clock.set(START.replace(hour=21))
    await raise_one(partner, observed_at=clock.at)
    await send(app)
    [row] = await rows_of(database, "notice")
    assert (box.messages, row.state, row.problem) == ([], "dead", outbox.NOBODY)


async def test_nothing_is_sent_to_what_an_earlier_release_took_for_an_address(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, database: Database
) -> None:
    async with writing(database) as session:
        staff = METADATA.tables["staff"]
        await session.execute(update(staff).values(email=staff.c.email + ",b@evil.test"))
    await raise_one(partner)
    await send(app)
    assert box.recipients == []
    assert [row.problem for row in await rows_of(database, "notice")] == [outbox.NOBODY]


@pytest.mark.hazard("H2")
async def test_a_failing_server_is_tried_again_later_and_later_and_then_given_up(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, clock: SettableClock, database: Database
) -> None:
    await raise_one(partner)
    box.refuse = "451 not now"
    for tries, pause in enumerate(AGAIN_AFTER, 1):
        await send(app)
        [row] = await rows_of(database, "notice")
        assert row.attempts == tries
        assert row.due_at == clock.at + pause
        clock.set(row.due_at)
    assert (row.state, row.problem) == ("dead", "SMTPDataError")
    box.refuse = ""
    await send(app)
    assert box.messages == []


@pytest.mark.hazard("H2")
async def test_a_sender_that_was_killed_in_the_middle_loses_nothing(
    app: FastAPI, partner: Partner, lead: Headers, box: Box, clock: SettableClock, database: Database
) -> None:
    await raise_one(partner)
    async with writing(database) as session:
        cover = await load_cover(session, partner.ward_id)
        await outbox.address(session, cover, clock.at, 10)
        [taken] = await outbox.take(session, partner.ward_id, clock.at, 10)
    await send(app)
    assert box.messages == []  # it may still be at it
    clock.advance(seconds=AGAIN_AFTER[0].total_seconds())
    await send(app)
    assert [str(each["Message-ID"]) for each in box.messages] == [f"<{taken.id}@hospital.example>"]


async def test_several_replicas_send_one_message(app: FastAPI, partner: Partner, lead: Headers, box: Box) -> None:
    for _ in range(3):
        await raise_one(partner)
    await asyncio.gather(*(send(app) for _ in range(3)))
    assert len(box.messages) == 3
    assert len({str(each["Message-ID"]) for each in box.messages}) == 3


async def test_without_a_server_the_outbox_says_that_there_is_none(
    partner: Partner, lead: Headers, clock: SettableClock, database: Database
) -> None:
    await raise_one(partner)
    await Mailing(database, None).carry_out(partner.ward_id, clock.at)
    [row] = await rows_of(database, "notice")
    assert (row.state, row.problem) == ("dead", outbox.NOT_CONFIGURED)


async def test_the_timekeeper_sends_it(app: FastAPI, partner: Partner, lead: Headers, box: Box) -> None:
    await raise_one(partner)
    await app.state.timekeeper.catch_up()
    assert len(box.messages) == 1


async def test_a_server_that_is_away_is_no_error_of_ours(
    app: FastAPI, partner: Partner, lead: Headers, clock: SettableClock, database: Database
) -> None:
    await raise_one(partner)
    away = server_of(replace(app.state.settings, smtp_url="smtp+plain://127.0.0.1:1"))
    await Mailing(database, away).carry_out(partner.ward_id, clock.at)
    [row] = await rows_of(database, "notice")
    assert (row.state, row.problem) == ("waiting", "ConnectionRefusedError")


async def test_a_silence_that_a_wrong_reading_had_covered_is_told_out_of_sight_too(
    app: FastAPI, partner: Partner, lead: Headers, clock: SettableClock, database: Database
) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    clock.advance(hours=23)
    await app.state.timekeeper.catch_up()
    wrong = await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    clock.advance(minutes=90)
    said = {"reason": "wrong patient"}
    answer = await partner.ask("POST", f"/v1/readings/{wrong['reading_id']}/entered-in-error", said)
    assert answer.status_code == 200, answer.text
    (alert,) = await partner.alerts(stay_id)
    assert (alert["family"], alert["severity"]) == ("missed_reading", "high")
    assert len(await rows_of(database, "notice", alert_id=alert["id"])) == 1
