"""Readings and people at the same time: nothing is lost, nobody deadlocks, and the counts are true."""

import asyncio
import random
from collections import Counter

import httpx

from tests.queue.scene import Scene, Stay, minutes, observed

Header = dict[str, str]


async def recount(scene: Scene) -> dict[str, int]:
    """The counts as the alerts themselves say."""
    words = ("low", "medium", "high", "critical")
    found = dict.fromkeys(("open", "acknowledged", "recovered", *words), 0)
    for alert in await scene.alerts():
        if alert.state != "resolved":
            found[alert.state] += 1
            found[words[alert.severity - 1]] += 1
    return found


async def test_a_reading_and_an_acknowledgement_at_once_both_count(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    for _ in range(5):
        stay = await scene.admit()
        await scene.send(stay, 90, minutes(0))
        (alert_id,) = (await scene.send(stay, 90, minutes(5))).alert_ids[stay.id]
        version = next(alert.version for alert in await scene.alerts() if alert.id == alert_id)
        path = f"/v1/alerts/{alert_id}/acknowledge"
        answer, _ = await asyncio.gather(
            client.post(path, headers=nurse_header, json={"version": version}),
            scene.send(stay, 90, minutes(10)),
        )
        assert answer.status_code == 200
        alert = (await client.get(f"/v1/alerts/{alert_id}", headers=nurse_header)).json()
        assert (alert["reading_count"], alert["acknowledged_by"] is not None) == (3, True)


async def test_many_writers_leave_a_gapless_feed_and_true_counts(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    dice = random.Random(7)
    stays = [await scene.admit() for _ in range(6)]

    async def readings(mine: list[Stay]) -> None:
        for n in range(8):
            await scene.send_all(
                {
                    stay: [observed(dice.choice([88, 91, 94, 97, 98]), minutes(20 * n), breathlessness=1)]
                    for stay in mine
                }
            )

    async def people() -> None:
        for _ in range(12):
            query = {"state": dice.choice([["open", "acknowledged", "recovered"], ["resolved"]])}
            for alert in (await client.get("/v1/alerts", headers=nurse_header, params=query)).json()["items"][:2]:
                if alert["state"] == "resolved":
                    body = {"version": alert["version"], "reason": "seen"}
                    again = await client.post(f"/v1/alerts/{alert['id']}/reopen", headers=nurse_header, json=body)
                    assert again.status_code in (200, 409, 412), again.text
                    continue
                verb, body = dice.choice(
                    [
                        ("acknowledge", {"version": alert["version"]}),
                        ("resolve", {"version": alert["version"], "outcome": "advice_given"}),
                        ("unacknowledge", {"version": alert["version"]}),
                        ("assign", {"version": alert["version"], "staff_id": None}),
                        ("escalate", {"version": alert["version"], "reason": "seen"}),
                        ("snooze", {"version": alert["version"], "minutes": 30, "reason": "seen"}),
                        ("contact", {"method": "phone", "result": "reached"}),
                        ("note", {"text": "seen"}),
                    ]
                )
                path = f"/v1/alerts/{alert['id']}/{verb}"
                answer = await client.post(path, headers=nurse_header, json=body)
                assert answer.status_code in (200, 409, 412), answer.text

    await asyncio.gather(readings(stays[:3]), readings(stays[3:]), people(), people())

    numbers = [event.number for event in await scene.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (await scene.position()).counts == await recount(scene)
    unresolved = Counter((a.subject, a.family) for a in await scene.alerts() if a.state != "resolved")
    assert set(unresolved.values()) <= {1}
