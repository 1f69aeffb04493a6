import pytest

from tests.support.ward import Ward, make_ward


@pytest.fixture
async def ward(app, client) -> Ward:
    """A ward with everybody on it."""
    return await make_ward(app, client)
