"""NEWS2 against the chart's vectors."""

import csv
import os
from pathlib import Path
from typing import Any

import pytest

from alerts.news2 import Risk, not_applicable, score

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("WARDWATCH_TEST_DATA", ROOT.parent / "shared" / "data"))
VECTORS = DATA / "news2" / "news2_vectors.csv"
CONSCIOUSNESS = {"A": "alert", "C": "confusion", "V": "voice", "P": "pain", "U": "unresponsive"}
RISKS = {"low": Risk.LOW, "low-medium": Risk.LOW_MEDIUM, "medium": Risk.MEDIUM, "high": Risk.HIGH}
SUB_SCORES = {
    "rr": "respiratory_rate", "spo2": "spo2", "o2": "oxygen", "sbp": "systolic_bp", "pulse": "pulse_rate",
    "acvpu": "consciousness", "temp": "temperature",
}  # fmt: skip

# Without the vectors: the chart's corners, written out (RCP NEWS2 2017).
OWN: list[dict[str, Any]] = [
    {"rr": 12, "spo2": 96, "scale": 1, "o2": False, "sbp": 111, "hr": 51, "c": "A", "t": 36.1, "total": 0},
    {"rr": 20, "spo2": 96, "scale": 1, "o2": False, "sbp": 219, "hr": 90, "c": "A", "t": 38.0, "total": 0},
    {"rr": 8, "spo2": 91, "scale": 1, "o2": True, "sbp": 90, "hr": 40, "c": "V", "t": 35.0, "total": 20},
    {"rr": 25, "spo2": 97, "scale": 2, "o2": True, "sbp": 220, "hr": 131, "c": "U", "t": 39.1, "total": 19},
    {"rr": 16, "spo2": 95, "scale": 2, "o2": False, "sbp": 120, "hr": 75, "c": "A", "t": 36.5, "total": 0},
    {"rr": 21, "spo2": 93, "scale": 1, "o2": False, "sbp": 120, "hr": 95, "c": "A", "t": 37.5, "total": 5},
]


def vectors() -> list[dict[str, str]]:
    if not VECTORS.exists():
        return []
    with VECTORS.open(newline="") as file:
        return list(csv.DictReader(file))


def scored(row: dict[str, str]) -> Any:
    def number(name: str) -> Any:
        return float(row[name]) if row[name] else None

    def whole(name: str) -> Any:
        return int(row[name]) if row[name] else None

    on_oxygen = {"air": False, "oxygen": True}.get(row["air_or_oxygen"])
    return score(
        scale=int(row["spo2_scale"] or 1),
        respiratory_rate=whole("resp_rate"),
        spo2=whole("spo2_pct"),
        on_oxygen=on_oxygen,
        systolic_bp=whole("sbp_mmHg"),
        pulse_rate=whole("pulse_bpm"),
        consciousness=CONSCIOUSNESS.get(row["acvpu"]),  # type: ignore[arg-type]
        temperature=number("temp_C"),
    )


@pytest.mark.parametrize("row", vectors(), ids=lambda row: f"vector {row['id']}")
def test_the_published_vectors_score_as_the_chart_says(row: dict[str, str]) -> None:
    result = scored(row)
    total = int(row["rcp_total"]) if row["rcp_total"] else None
    assert result.total == total
    if row["rcp_band"]:
        assert result.risk == RISKS[row["rcp_band"]]
    if row["rcp_any_single_3"]:
        assert result.any_single_3 is (row["rcp_any_single_3"] == "true")
    if row["asserts"] != "total":
        assert result.scores[SUB_SCORES[row["asserts"]]] == int(row["rcp_value_for_asserted"])


@pytest.mark.parametrize("row", OWN)
def test_the_corners_of_the_chart(row: dict[str, Any]) -> None:
    result = score(
        scale=row["scale"], respiratory_rate=row["rr"], spo2=row["spo2"], on_oxygen=row["o2"],
        systolic_bp=row["sbp"], pulse_rate=row["hr"], consciousness=CONSCIOUSNESS[row["c"]],  # type: ignore[arg-type]
        temperature=row["t"],
    )  # fmt: skip
    assert result.total == row["total"]


COLUMNS: tuple[tuple[str, int, tuple[tuple[float, int], ...]], ...] = (
    ("respiratory_rate", 1, ((8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3))),
    ("spo2", 1, ((91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0))),
    ("spo2", 2, ((83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0))),
    ("systolic_bp", 1, ((90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3))),
    (
        "pulse_rate",
        1,
        ((40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)),
    ),
    (
        "temperature",
        1,
        ((35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)),
    ),
)


@pytest.mark.parametrize(("parameter", "scale", "points"), COLUMNS)
@pytest.mark.hazard("H4")
def test_both_sides_of_every_line_of_the_chart(parameter: str, scale: int, points: Any) -> None:
    for value, expected in points:
        values: dict[str, Any] = {parameter: value}
        assert score(scale=scale, **values).scores[parameter] == expected, value


CHART: dict[str, list[tuple[float, int]]] = {
    "respiratory_rate": [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)],
    "spo2": [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0)],
    "systolic_bp": [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)],
    "pulse_rate": [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)],
    "temperature": [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)],
}
SCALE_2 = {False: [(83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 0), (97, 0)],
           True: [(83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 1), (94, 1), (95, 2), (96, 2),
                  (97, 3)]}  # fmt: skip


@pytest.mark.parametrize("name", CHART)
def test_each_column_of_the_chart_begins_and_ends_where_it_is_printed(name: str) -> None:
    for value, points in CHART[name]:
        assert score(**{name: value}).scores == {name: points}, value  # type: ignore[arg-type]


@pytest.mark.parametrize("on_oxygen", [False, True], ids=["air", "oxygen"])
def test_each_column_of_scale_2_begins_and_ends_where_it_is_printed(on_oxygen: bool) -> None:
    for value, points in SCALE_2[on_oxygen]:
        assert score(scale=2, spo2=value, on_oxygen=on_oxygen).scores["spo2"] == points, value


WELL: dict[str, Any] = {
    "respiratory_rate": 12, "spo2": 96, "on_oxygen": False, "systolic_bp": 111, "pulse_rate": 51,
    "consciousness": "alert", "temperature": 36.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "total", "risk"),
    [
        ({}, 0, Risk.LOW),
        ({"respiratory_rate": 21, "spo2": 92}, 4, Risk.LOW),
        ({"respiratory_rate": 25}, 3, Risk.LOW_MEDIUM),
        ({"respiratory_rate": 25, "spo2": 95}, 4, Risk.LOW_MEDIUM),
        ({"respiratory_rate": 21, "spo2": 92, "temperature": 38.1}, 5, Risk.MEDIUM),
        ({"respiratory_rate": 25, "spo2": 91}, 6, Risk.MEDIUM),
        ({"respiratory_rate": 25, "spo2": 91, "pulse_rate": 91}, 7, Risk.HIGH),
    ],
)
def test_the_band_of_a_complete_score(worse: dict[str, Any], total: int, risk: Risk) -> None:
    result = score(**{**WELL, **worse})
    assert (result.total, result.risk) == (total, risk)


@pytest.mark.hazard("H4")
def test_scale_2_above_92_is_nothing_on_air_and_missing_when_oxygen_is_not_known() -> None:
    assert score(scale=2, spo2=97, on_oxygen=False).scores["spo2"] == 0
    assert score(scale=2, spo2=97, on_oxygen=True).scores["spo2"] == 3
    assert "spo2" in score(scale=2, spo2=93).missing
    assert score(scale=2, spo2=92).scores["spo2"] == 0


def test_a_score_that_does_not_apply_is_neither_complete_nor_low() -> None:
    result = not_applicable(1)
    assert not result.complete
    assert result.total is None
    assert result.risk is None


@pytest.mark.parametrize(("spo2", "points"), [(92, 0), (93, 1), (94, 1), (95, 2), (96, 2), (97, 3)])
def test_scale_2_scores_too_much_oxygen(spo2: int, points: int) -> None:
    assert score(scale=2, spo2=spo2, on_oxygen=True).scores["spo2"] == points
