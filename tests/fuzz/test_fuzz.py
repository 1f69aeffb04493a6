"""Made-up requests to every call as every role: no fault, nothing undocumented, nothing of another ward.

`make fuzz` sends thousands; here are as many as fit into a minute, always the same."""

import pytest

from tests.fuzz.run import fuzzing

SEED = 20261122


@pytest.mark.slow
async def test_no_made_up_request_is_a_fault_or_shows_another_ward(database_url: str) -> None:
    each = 2 if database_url.startswith("sqlite") else 1
    async with fuzzing(database_url, SEED) as fuzz:
        found = await fuzz.run(each)
    assert found.wrong == {}
    assert found.sent.total() > 1_500 * each
    done = {role for (role, status) in found.sent if status in (200, 201)}
    assert done == set(fuzz.people.headers)
