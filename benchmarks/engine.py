"""The pure engine on one core: evaluations, receipts, and whole judgements, of a reading after eleven others.

By processor time: the engine waits for nothing, and what else runs on the machine is not its doing."""

from datetime import UTC, datetime, timedelta
from time import process_time

from alerts.evaluate import evaluate
from alerts.judge import judge
from alerts.plan import Plan
from alerts.reading import Consciousness, Quality, Reading
from alerts.receipt import receipt
from alerts.record import Record

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def window(count: int) -> tuple[Reading, ...]:
    """Readings four hours apart, SpO2 from 97 down to 93."""
    return tuple(
        Reading(
            id=str(number),
            observed_at=START + timedelta(hours=4 * number),
            received_at=START + timedelta(hours=4 * number, seconds=3),
            spo2=97.0 - number % 5,
            pulse_rate=80,
            respiratory_rate=16,
            systolic_bp=124,
            diastolic_bp=78,
            consciousness=Consciousness.ALERT,
            oxygen_flow=0.0,
            breathlessness=1.0,
            symptoms=(),
            quality=Quality.GOOD,
        )
        for number in range(count)
    )


def measure(seconds: float) -> dict[str, float]:
    """Evaluations, evaluations with their receipts, and judgements a second."""
    readings, plan = window(12), Plan()
    last = readings[-1]
    record = Record(plan=plan, window=readings[:-1])
    return {
        "evaluate": _rate(lambda: evaluate(readings, plan, last.received_at), seconds),
        "receipt": _rate(lambda: receipt(evaluate(readings, plan, last.received_at)), seconds),
        "judge": _rate(lambda: judge(record, (last,)), seconds),
    }


def _rate(work: object, seconds: float) -> float:
    assert callable(work)
    done, started = 0, process_time()
    while process_time() - started < seconds:
        for _ in range(200):
            work()
        done += 200
    return done / (process_time() - started)
