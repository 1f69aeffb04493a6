"""A ward's readings in order of receipt: nothing that can still appear lies before the watermark."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from service.readings import received
from service.readings.submission import Arrival
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.conftest import started
from tests.support.statements import until_somebody_waits
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, calling, open_partner, reading

FEED = METADATA.tables["ward_feed"]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def walk(partner: Partner, **params: Any) -> list[Any]:
    """All pages of one walk."""
    pages, cursor = [], {}
    while True:
        page = await partner.get(f"/v1/wards/{partner.ward_id}/readings", **params, **cursor)
        pages.append(page)
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}


async def test_readings_come_in_order_of_receipt_however_old_they_are(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    other, sent = await partner.admit(), []
    for hours_ago in (0, 30, 2, 70, 1):
        clock.advance(minutes=1)
        at = clock.now() - timedelta(hours=hours_ago)
        sent.append((await partner.kept(other if hours_ago % 2 else stay_id, observed_at=at))["reading_id"])
    pages = await walk(partner, limit=2)
    items = [item for page in pages for item in page["items"]]
    assert [item["reading_id"] for item in items] == sent
    assert {item["stay_id"] for item in items} == {stay_id, other}
    assert len({page["watermark"] for page in pages}) == 1


async def test_what_was_received_after_an_instant_is_given_once(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    first = await partner.kept(stay_id, spo2=97)
    clock.advance(minutes=10)
    second = await partner.kept(stay_id, spo2=96, observed_at=clock.now())
    (page,) = await walk(partner, received_after=first["received_at"])
    assert [item["reading_id"] for item in page["items"]] == [second["reading_id"]]
    assert instant(first["received_at"]) < instant(page["watermark"]) < clock.now()
    clock.advance(minutes=10)
    (page,) = await walk(partner, received_after=second["received_at"])
    assert page["items"] == []
    assert instant(page["watermark"]) > instant(second["received_at"])


@pytest.fixture
async def second_replica(settings: Settings) -> AsyncIterator[FastAPI]:
    """Another process's application on the same database, with a clock of its own."""
    async with started(settings, SettableClock()) as application:
        yield application


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_the_watermark_never_passes_a_group_that_another_replica_has_not_committed(
    partner: Partner, stay_id: str, clock: SettableClock, database: Database, second_replica: FastAPI
) -> None:
    async with calling(second_replica) as other:
        held = Partner(other, partner.ward_id, partner.client_id, partner.secret, partner.token)
        await held.kept(stay_id, spo2=97)
        async with writing(database) as session:
            # Somebody holds the feed: the group has begun, has stamped its receipt, has judged, and waits.
            await session.execute(update(FEED).where(FEED.c.ward_id == partner.ward_id).values(epoch=FEED.c.epoch))
            sending = asyncio.create_task(held.kept(stay_id, spo2=90))
            await until_somebody_waits(database)
            clock.advance(hours=1)  # this replica's clock: far beyond the receipt
            before = await received.oldest_write(database)
            assert before > timedelta(0)
            (page,) = await walk(partner)
            told = instant(page["watermark"])
            assert told <= clock.now() - before - received.HOLDS - received.SLOWEST - received.CLOCKS_DIFFER
        kept = await sending
    assert await received.oldest_write(database) == timedelta(0)
    assert instant(kept["received_at"]) == START + timedelta(microseconds=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_on_one_database_file_the_watermark_waits_for_the_writer(
    partner: Partner, database: Database, app: FastAPI
) -> None:
    async with writing(app.state.database) as session:
        await session.execute(update(FEED).values(epoch=FEED.c.epoch))
        asking = asyncio.create_task(received.watermark(app.state.database, START))
        _, waiting = await asyncio.wait({asking}, timeout=0.2)
        assert waiting == {asking}
    assert await asking == START - received.HOLDS


def test_who_waited_long_is_received_when_the_group_begins() -> None:
    stamping = received.Stamping(START)
    fresh = Arrival("ward", "stay", "sender", START - timedelta(seconds=14), ())
    waited = Arrival("ward", "stay", "sender", START - timedelta(seconds=40), ())
    assert stamping.stamp(fresh) is fresh
    assert stamping.stamp(waited).received_at == START - received.HOLDS
    stamping.check()


async def test_a_group_that_took_too_long_is_undone_and_may_be_sent_again(
    partner: Partner, stay_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = reading(stay_id, spo2=97)
    with monkeypatch.context() as patch:
        patch.setattr(received, "SLOWEST", timedelta(0))
        answer = await partner.ask("POST", "/v1/readings", body)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await partner.history(stay_id) == []
    assert (await partner.ask("POST", "/v1/readings", body)).status_code == 201


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwiYiIsImMiXQ"])
async def test_a_cursor_that_is_none_of_ours_is_refused(partner: Partner, cursor: str) -> None:
    answer = await partner.ask("GET", f"/v1/wards/{partner.ward_id}/readings", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "invalid_cursor")


async def test_another_wards_readings_are_not_found(
    partner: Partner, http: httpx.AsyncClient, database: Database
) -> None:
    stranger = await open_partner(http, database)
    answer = await stranger.ask("GET", f"/v1/wards/{partner.ward_id}/readings")
    assert answer.status_code == 404
    sender = await open_partner(http, database, partner.ward_id, ["readings:write"])
    assert (await sender.ask("GET", f"/v1/wards/{partner.ward_id}/readings")).status_code == 403
