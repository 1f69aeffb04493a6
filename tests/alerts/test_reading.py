"""Values: how they are judged, and how far the signal is trusted."""

import math

import pytest

from alerts.reading import Quality, SignalQuality, judged_spo2, judged_tenths, quality_of


@pytest.mark.parametrize(
    ("value", "judged"),
    [(92.5, 92), (92.4, 92), (92.6, 93), (94.6, 95), (92.50000000000001, 93), (0, 0), (100, 100), (99.5, 99)],
)
@pytest.mark.hazard("H8")
def test_spo2_is_judged_to_the_nearest_whole_and_a_tie_goes_down(value: float, judged: int) -> None:
    assert judged_spo2(value) == judged


@pytest.mark.parametrize(("value", "judged"), [(92.5, 93), (96.5, 97), (92.4, 92), (91.5, 91)])
def test_on_scale_2_with_oxygen_a_tie_above_92_goes_up(value: float, judged: int) -> None:
    assert judged_spo2(value, scale2_on_oxygen=True) == judged


@pytest.mark.parametrize(
    ("value", "judged"),
    [(38.05, 38.1), (36.05, 36.0), (35.05, 35.0), (39.05, 39.1), (39.04, 39.0), (38.1, 38.1), (36.96, 37.0)],
)
@pytest.mark.hazard("H8")
def test_temperature_is_judged_to_a_tenth_and_a_tie_goes_away_from_37(value: float, judged: float) -> None:
    assert judged_tenths(value) / 10 == judged


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_judged(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        judged_spo2(value)
    with pytest.raises((ValueError, OverflowError)):
        judged_tenths(value)


@pytest.mark.parametrize(
    ("perfusion_index", "signal", "quality"),
    [
        (None, None, Quality.UNKNOWN),
        (0.39, None, Quality.POOR),
        (0.4, None, Quality.FAIR),
        (0.59, None, Quality.FAIR),
        (0.6, None, Quality.GOOD),
        (None, SignalQuality.GOOD, Quality.GOOD),
        (None, SignalQuality.FAIR, Quality.FAIR),
        (None, SignalQuality.POOR, Quality.POOR),
        (3.0, SignalQuality.POOR, Quality.POOR),
        (0.2, SignalQuality.GOOD, Quality.POOR),
        (0.5, SignalQuality.GOOD, Quality.FAIR),
    ],
)
@pytest.mark.hazard("H12")
def test_quality_is_the_worse_of_what_is_said(
    perfusion_index: float | None, signal: SignalQuality | None, quality: Quality
) -> None:
    assert quality_of(perfusion_index, signal) == quality
