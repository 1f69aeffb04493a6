import pytest

from tests.access.hospital import Hospital
from tests.governance.record import Record, full_record


@pytest.fixture
async def record(hospital: Hospital) -> Record:
    """A patient on whom every table holds something, and whose stay has ended."""
    return await full_record(hospital)
