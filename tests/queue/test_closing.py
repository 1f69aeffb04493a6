"""A stay that ends leaves no alert behind, and no serious one without an outcome."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from service.access.principals import Principal
from service.errors import Invalid
from service.feed.numbering import append_for_wards
from service.queue.actions import Outcome
from service.queue.closing import resolve_for_discharge
from service.queue.store import lock_stay
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.queue.scene import BEGAN, Scene, Stay, minutes, observed, red


async def test_discharge_needs_an_outcome_for_a_critical_alert(scene: Scene, stay: Stay, nurse: Principal) -> None:
    alert_id = await red(scene, stay)
    with pytest.raises(Invalid) as refused:
        async with writing(scene.database) as session:
            await lock_stay(session, stay.ward_id, stay.id)
            await resolve_for_discharge(session, nurse, stay.ward_id, stay.id, {}, minutes(60))
    assert [error.pointer for error in refused.value.errors] == [f"/outcomes/{alert_id}"]


async def test_discharge_closes_all_that_is_left(scene: Scene, stay: Stay, nurse: Principal) -> None:
    await scene.send_all({stay: [observed(94, minutes(0), breathlessness=0)]})
    async with writing(scene.database) as session:
        await lock_stay(session, stay.ward_id, stay.id)
        ward = await resolve_for_discharge(session, nurse, stay.ward_id, stay.id, {}, minutes(60))
        await append_for_wards(session, {stay.ward_id: ward})
    response = METADATA.tables["alert_response"]
    async with scene.database.reads.connect() as connection:
        outcomes = (await connection.execute(select(response.c.outcome))).scalars().all()
    assert set(outcomes) == {"discharged"}
    assert {alert.state for alert in await scene.alerts()} == {"resolved"}
    assert set((await scene.position()).counts.values()) == {0}


async def test_discharge_takes_the_outcomes_given(scene: Scene, stay: Stay, nurse: Principal) -> None:
    alert_id = await red(scene, stay)
    async with writing(scene.database) as session:
        await lock_stay(session, stay.ward_id, stay.id)
        ward = await resolve_for_discharge(
            session,
            nurse,
            stay.ward_id,
            stay.id,
            {alert_id: Outcome.ADMITTED_TO_HOSPITAL},
            BEGAN + timedelta(1),
        )
        await append_for_wards(session, {stay.ward_id: ward})
    event = (await scene.events())[-1]
    assert (event.type, event.data["outcome"]) == ("alert.resolved", "admitted_to_hospital")
