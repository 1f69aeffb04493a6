from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from tests.access.hospital import Hospital
from tests.support.issuer import Issuer, issuing


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer elsewhere, running."""
    with issuing() as found:
        yield found


@pytest.fixture
async def hospital(app: FastAPI, client: httpx.AsyncClient) -> Hospital:
    return Hospital(app, client)
