"""Every cell of the life cycle that a person fills, over HTTP: what the state allows, by its id, and nothing else."""

from typing import Any

import httpx
import pytest

from alerts.transitions import TRANSITIONS, Trigger
from service import metrics
from tests.queue.scene import Scene, minutes
from tests.support.time import SettableClock

BODIES: dict[Trigger, dict[str, Any]] = {
    Trigger.ACKNOWLEDGE: {}, Trigger.UNACKNOWLEDGE: {}, Trigger.CONTACT: {"method": "phone", "result": "reached"},
    Trigger.ASSIGN: {"staff_id": None}, Trigger.ESCALATE: {"reason": "x"},
    Trigger.SNOOZE: {"minutes": 5, "reason": "x"}, Trigger.RESOLVE: {"outcome": "other"},
    Trigger.REOPEN: {"reason": "x"},
}  # fmt: skip
STATES = ("open", "acknowledged", "recovered", "resolved")
CELLS = {(str(state), trigger): cell for (state, trigger), cell in TRANSITIONS.items() if trigger in BODIES}


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(minutes(90))


async def brought_to(scene: Scene, client: httpx.AsyncClient, header: dict[str, str], state: str) -> Any:
    """A high alert, not silent, in that state."""
    stay = await scene.admit()
    for at in (0, 5):
        (alert_id,) = (await scene.send(stay, 93, minutes(at), breathlessness=4)).alert_ids[stay.id]
    if state == "recovered":
        for at in (60, 80):
            await scene.send(stay, 97, minutes(at), breathlessness=4)
    path = f"/v1/alerts/{alert_id}"
    alert = (await client.get(path, headers=header)).json()
    verb = {"acknowledged": "acknowledge", "resolved": "resolve"}.get(state)
    if verb:
        body = {"version": alert["version"], **BODIES[Trigger(verb)]}
        alert = (await client.post(f"{path}/{verb}", headers=header, json=body)).json()
    assert alert["state"] == state
    return alert


async def do(client: httpx.AsyncClient, header: dict[str, str], alert: Any, trigger: Trigger) -> httpx.Response:
    version = {} if trigger == Trigger.CONTACT else {"version": alert["version"]}
    path = f"/v1/alerts/{alert['id']}/{trigger}"
    return await client.post(path, headers=header, json={**version, **BODIES[trigger]})


@pytest.mark.parametrize(("state", "trigger"), CELLS, ids=str)
async def test_what_the_table_allows_happens_by_its_id(
    scene: Scene, client: httpx.AsyncClient, nurse_header: dict[str, str], state: str, trigger: Trigger
) -> None:
    alert = await brought_to(scene, client, nurse_header, state)
    answer = await do(client, nurse_header, alert, trigger)
    assert answer.status_code == 200, answer.text
    after, number = CELLS[state, trigger]
    assert (answer.json()["state"], answer.json()["version"]) == (after, alert["version"] + 1)
    assert (await scene.events())[-1].data["transition"] == number


@pytest.mark.parametrize("state", STATES)
async def test_what_it_does_not_allow_is_refused_with_what_it_does(
    scene: Scene, client: httpx.AsyncClient, nurse_header: dict[str, str], state: str
) -> None:
    legal = [str(trigger) for trigger in BODIES if (state, trigger) in CELLS]
    alert = await brought_to(scene, client, nurse_header, state)
    events = len(await scene.events())
    for trigger in BODIES:
        if str(trigger) in legal or (state, trigger) == ("acknowledged", Trigger.ACKNOWLEDGE):
            continue
        answer = await do(client, nurse_header, alert, trigger)
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
        assert (answer.json()["state"], answer.json()["allowed"]) == (state, [*legal, "note"])
    assert len(await scene.events()) == events
    assert {state for state, _ in CELLS} == set(STATES)


async def test_every_change_of_an_alert_is_counted_by_family_and_kind(
    scene: Scene, client: httpx.AsyncClient, nurse_header: dict[str, str]
) -> None:
    def counted(change: str) -> float:
        labels = {"family": "oxygen", "change": change}
        return metrics.REGISTRY.get_sample_value("wardwatch_alert_changes_total", labels) or 0

    before = {change: counted(change) for change in ("opened", "confirmed", "acknowledged")}
    await brought_to(scene, client, nurse_header, "acknowledged")
    assert {change: counted(change) - count for change, count in before.items()} == dict.fromkeys(before, 1)
