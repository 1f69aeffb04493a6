"""The same verb for several alerts: each stands alone, as if it had been sent alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from alerts.severity import Severity
from service.errors import WardwatchError
from service.problems import document

MOST = Severity.MEDIUM
"""What is more severe than this is looked at by itself."""


async def one_by_one(
    items: Sequence[tuple[str, int]], verb: Callable[[str, int], Awaitable[object]]
) -> list[dict[str, Any]]:
    """What became of each (alert id, version seen), in order: the alert as `verb` gives it, or the problem.

    Each has a transaction of its own, so that no lock of one is held while another waits, whatever their wards."""
    results: list[dict[str, Any]] = []
    for index, (alert_id, seen) in enumerate(items):
        result: dict[str, Any] = {"index": index, "id": alert_id}
        try:
            result |= {"status": "acknowledged", "alert": await verb(alert_id, seen)}
        except WardwatchError as problem:
            result |= {"status": "refused", "problem": document(problem)}
        results.append(result)
    return results


def summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answer: how many were taken and refused, and each of them."""
    taken = sum(result["status"] == "acknowledged" for result in results)
    return {"acknowledged": taken, "refused": len(results) - taken, "results": results}
