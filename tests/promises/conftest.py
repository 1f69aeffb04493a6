"""A partner system on a ward, on both databases."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from service.storage.engine import Database
from tests.support.wards import Partner, calling, open_partner


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(app) as made:
        yield made


@pytest.fixture
async def partner(http: httpx.AsyncClient, database: Database) -> Partner:
    return await open_partner(http, database)
