import httpx
import pytest
from fastapi import FastAPI

from tests.access.hospital import Hospital


@pytest.fixture
async def hospital(app: FastAPI, client: httpx.AsyncClient) -> Hospital:
    return Hospital(app, client)
