"""Every clinical scenario: see `scenario.py` for how to read one."""

from tests.spec.absence import ABSENCE
from tests.spec.bands import BANDS
from tests.spec.confirmation import CONFIRMATION
from tests.spec.exertion import EXERTION
from tests.spec.lateness import TIME
from tests.spec.profiles import PROFILES
from tests.spec.scenario import Scenario
from tests.spec.slowly import SLOWLY
from tests.spec.values import REFUSED, ROUNDING, VITALS

SCENARIOS: tuple[Scenario, ...] = (
    *BANDS,
    *CONFIRMATION,
    *EXERTION,
    *PROFILES,
    *ROUNDING,
    *REFUSED,
    *VITALS,
    *TIME,
    *ABSENCE,
    *SLOWLY,
)

__all__ = ["REFUSED", "SCENARIOS"]
