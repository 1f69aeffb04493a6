"""A partner system on a ward, and one stay."""

import pytest

from tests.support.wards import Partner


@pytest.fixture
async def stay_id(partner: Partner) -> str:
    return await partner.admit()
