from collections.abc import Iterator

import pytest

from tests.support.issuer import Issuer, issuing


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer elsewhere, running."""
    with issuing() as found:
        yield found
