"""What the engine decides becomes rows, counts and numbered events, all of it or nothing."""

import pytest

from tests.queue.scene import Scene, Stay, minutes, observed


async def test_a_red_reading_opens_one_alert_and_one_event(scene: Scene, stay: Stay) -> None:
    written = await scene.send(stay, 90, minutes(0))

    (alert,) = await scene.alerts()
    (event,) = await scene.events()
    assert (alert.state, alert.severity, alert.family, alert.version) == ("open", 4, "oxygen", 1)
    assert written.alert_ids == {stay.id: [alert.id]}
    assert written.numbers == {scene.ward_id: 1}
    assert (event.number, event.type, event.subject_id) == (1, "alert.opened", alert.id)
    assert event.data["severity"] == "critical"
    position = await scene.position()
    assert (position.number, position.counts["open"], position.counts["critical"]) == (1, 1, 1)


async def test_an_event_holds_no_value_and_no_name(scene: Scene, stay: Stay) -> None:
    await scene.send(stay, 87, minutes(0), respiratory_rate=37, pulse_rate=143)
    events = await scene.events()
    assert {event.data["family"] for event in events} == {"oxygen", "vitals", "early_warning"}
    for event in events:
        assert not {87, 37, 143} & {v for v in event.data.values() if not isinstance(v, (bool, list, dict))}
        for value in ("87", "37", "143"):
            assert value not in str(event.data["reason"])


@pytest.mark.hazard("H6")
async def test_another_red_reading_updates_the_same_alert(scene: Scene, stay: Stay) -> None:
    await scene.send(stay, 90, minutes(0))
    await scene.send(stay, 90, minutes(5))
    await scene.send(stay, 90, minutes(10))

    (alert,) = await scene.alerts()
    assert alert.reading_count == 3
    events = [(event.number, event.type) for event in await scene.events()]
    assert events == [(1, "alert.opened"), (2, "alert.confirmed"), (3, "alert.updated")]


async def test_an_update_raises_no_version(scene: Scene, stay: Stay) -> None:
    await scene.send(stay, 90, minutes(0))
    await scene.send(stay, 90, minutes(5))
    before = (await scene.alerts())[0].version
    await scene.send(stay, 90, minutes(10))
    assert (await scene.alerts())[0].version == before


async def test_an_alert_opened_and_changed_in_one_group_is_written_once(scene: Scene, stay: Stay) -> None:
    written = await scene.send_all({stay: [observed(90, minutes(0)), observed(90, minutes(5))]})

    (alert,) = await scene.alerts()
    assert alert.reading_count == 2
    assert written.alert_ids[stay.id] == [alert.id, alert.id]
    assert [event.subject_id for event in await scene.events()] == [alert.id, alert.id]


async def test_an_alert_resolved_and_opened_again_in_one_group_is_two_alerts(scene: Scene, stay: Stay) -> None:
    await scene.send(stay, 94, minutes(0), breathlessness=0)
    await scene.send_all(
        {
            stay: [
                observed(97, minutes(20), breathlessness=0),
                observed(97, minutes(40), breathlessness=0),
                observed(90, minutes(60), breathlessness=0),
            ]
        }
    )
    first, second = (alert for alert in await scene.alerts() if alert.family == "oxygen")
    assert (first.state, second.state) == ("resolved", "open")
    assert second.previous_alert_id == first.id
    position = await scene.position()
    assert (position.counts["open"], position.counts["medium"]) == (len(await scene.alerts()) - 1, 0)


async def test_a_new_alert_names_the_one_before(scene: Scene, stay: Stay) -> None:
    for spo2, minute in ((94, 0), (97, 20), (97, 40), (94, 60)):
        await scene.send(stay, spo2, minutes(minute), breathlessness=0)
    first, second = (alert for alert in await scene.alerts() if alert.family == "oxygen")
    assert first.previous_alert_id is None
    assert second.previous_alert_id == first.id


async def test_what_an_alert_counts_in_silence_is_kept(scene: Scene, stay: Stay) -> None:
    """One clearing reading announces nothing, yet the next one must know of it."""
    await scene.send(stay, 94, minutes(0), breathlessness=0)
    before = await scene.events()
    await scene.send(stay, 97, minutes(20), breathlessness=0)
    assert len(await scene.events()) - len(before) <= 1
    await scene.send(stay, 97, minutes(40), breathlessness=0)
    assert [alert.state for alert in await scene.alerts() if alert.family == "oxygen"] == ["resolved"]


async def test_many_stays_are_written_together(scene: Scene) -> None:
    stays = [await scene.admit() for _ in range(7)]
    written = await scene.send_all({stay: [observed(88 + n, minutes(n))] for n, stay in enumerate(stays)})

    events = await scene.events()
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert written.numbers == {scene.ward_id: len(events)}
    assert set(written.alert_ids) == {stay.id for stay in stays}
    position = await scene.position()
    alerts = await scene.alerts()
    assert position.counts["open"] == len(alerts)
    assert sum(position.counts[word] for word in ("critical", "high", "medium", "low")) == len(alerts)
