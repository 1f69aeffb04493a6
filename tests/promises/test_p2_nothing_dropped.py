"""P2: nothing is dropped in silence. Whatever can be a value is stored, however unlikely, late or poor."""

from datetime import timedelta
from typing import Any

import pytest

from service.storage.engine import Database
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, rows_of

UNLIKELY: list[dict[str, Any]] = [
    {"spo2": 0}, {"spo2": 49}, {"spo2": 69.5}, {"spo2": 100}, {"spo2": 88, "signal_quality": "poor"},
    {"spo2": 88, "perfusion_index": 0}, {"spo2": 88, "context": "unknown"},
    {"spo2": 88, "context": "sleep"}, {"spo2": 85, "context": "post_exertion_40_steps"},
    {"spo2": 88, "observed_at": START - timedelta(days=40)},
    {"spo2": 88, "observed_at": START + timedelta(days=40)},
    {"spo2": 88, "observed_at": "1970-01-01T00:00:00Z"}, {"pulse_rate": 20}, {"respiratory_rate": 60},
    {"temperature": 43.0}, {"systolic_bp": 50, "diastolic_bp": 200},
]  # fmt: skip


async def test_every_unlikely_reading_is_stored_and_answered(partner: Partner, database: Database) -> None:
    for fields in UNLIKELY:
        stay_id = await partner.admit()
        said = await partner.kept(stay_id, **fields)
        (row,) = await rows_of(database, "reading", stay_id=stay_id)
        assert row.id == said["reading_id"]
        for name in fields.keys() - {"observed_at"}:
            assert getattr(row, name) == fields[name]
        assert said["assessment"]["advice"]
        low = fields.get("spo2", 97) <= 92
        assert bool(await partner.alerts(stay_id)) >= low, f"{fields} says nothing to anybody"
        if low:
            assert said["assessment"]["advice_code"] != "carry_on"


@pytest.mark.hazard("H5")
async def test_a_missing_value_is_neither_zero_nor_normal(partner: Partner) -> None:
    stay_id = await partner.admit()
    said = await partner.kept(stay_id, pulse_rate=80)
    assert said["judged_spo2"] is None
    assert "spo2" in said["news2"]["missing"]
    assert (said["news2"]["total"], said["news2"]["risk"]) == (None, None)
    assert said["assessment"]["advice_code"] != "carry_on"
    assert await partner.alerts(stay_id) == []


async def test_an_alert_is_not_cleared_by_a_reading_without_its_value(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=90, breathlessness=1)
    for _ in range(3):
        clock.advance(minutes=20)
        await partner.kept(stay_id, observed_at=clock.now(), pulse_rate=70)
    (alert,) = await partner.alerts(stay_id)
    assert (alert["state"], alert["severity"]) == ("open", "critical")
