import httpx
import pytest
from fastapi import FastAPI

from tests.access.hospital import Hospital
from tests.governance.record import Record, full_record


@pytest.fixture
async def hospital(app: FastAPI, client: httpx.AsyncClient) -> Hospital:
    return Hospital(app, client)


@pytest.fixture
async def record(hospital: Hospital) -> Record:
    """A patient on whom every table holds something, and whose stay has ended."""
    return await full_record(hospital)
