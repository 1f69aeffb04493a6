"""The colour of one SpO2: red, amber or green."""

from datetime import timedelta
from enum import StrEnum

from alerts.plan import Limits
from alerts.reading import USABLE_FROM, Reading, judged_spo2

LOW_REPEAT_WITHIN = timedelta(minutes=15)
"""A second value too low to be used within this time is believed (design decision, needs CSO sign-off)."""


class Band(StrEnum):
    """The colour of an SpO2 under the plan (NHS CO@h)."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


_RED, _AMBER, _GREEN = Band.RED, Band.AMBER, Band.GREEN


def band_of(
    known: tuple[Reading, ...],
    measured: Reading | None,
    limits: Limits,
    level: int | None,
    resting: bool,
    allowance: int | None,
) -> Band | None:
    """Of the judged `level` of what was `measured`, among all that is `known`; None without one or after exertion.
    `allowance`: by how much red starts lower, None unless asleep."""
    if measured is None or level is None or not (resting or allowance is not None):
        return None
    if level < USABLE_FROM:
        return _RED if _low_repeats(known, measured) else None
    if allowance is not None:
        return _RED if level <= limits.red_at - allowance else None
    if level <= limits.red_at:
        return _RED
    return _AMBER if level <= limits.amber_at else _GREEN


def _low_repeats(known: tuple[Reading, ...], measured: Reading) -> bool:
    """Is there another value below 50 % within a quarter of an hour, whichever of the two came first?"""
    return any(
        other.spo2 is not None
        and other is not measured
        and abs(measured.observed_at - other.observed_at) <= LOW_REPEAT_WITHIN
        and judged_spo2(other.spo2) < USABLE_FROM
        for other in known
    )
