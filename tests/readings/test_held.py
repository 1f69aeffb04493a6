"""A stay that somebody else is at: its readings wait, and nobody else's do."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from service.readings.store import stay_table
from tests.support.wards import Partner, reading


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgres
async def test_a_stay_that_somebody_holds_makes_nobody_else_wait(app: FastAPI, partner: Partner) -> None:
    held, free = await partner.admit(), await partner.admit()
    async with app.state.database.writes.connect() as rival:
        await rival.execute(select(stay_table.c.id).where(stay_table.c.id == held).with_for_update())
        waiting = asyncio.create_task(partner.ask("POST", "/v1/readings", reading(held)))
        for _ in range(5):
            async with asyncio.timeout(60):
                assert (await partner.ask("POST", "/v1/readings", reading(free))).status_code == 201
        assert not waiting.done()
        await rival.rollback()
        async with asyncio.timeout(60):
            assert (await waiting).status_code == 201
    history = await partner.ask("GET", f"/v1/stays/{held}/readings")
    assert len(history.json()["items"]) == 1
