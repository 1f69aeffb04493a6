"""Tokens of people at home that are lost: the pairing ends, and the team hears of it once."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update

from service.access.store import find_principal
from service.clock import real_now
from service.storage.engine import Database
from service.storage.session import reading as reading_session
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.at_home import Bedside, assert_ended, assert_unpaired, bearer, bedside, reading, refresh
from tests.access.hospital import Hospital

FAMILY = METADATA.tables["token_family"]
INCIDENT = METADATA.tables["access_incident"]


async def steal(bed: Bedside, database: Database, tokens: dict[str, Any]) -> None:
    """Somebody uses an old refresh token more than a minute after its owner did."""
    client = bed.hospital.client
    assert (await refresh(client, tokens)).status_code == 200
    async with writing(database) as session:
        await session.execute(update(FAMILY).values(rotated_at=real_now() - timedelta(seconds=61)))
    assert_ended(await refresh(client, tokens))


async def alerts(bed: Bedside) -> list[dict[str, Any]]:
    """The unresolved alerts of the stay, after time has passed."""
    await bed.hospital.app.state.timekeeper.catch_up()
    answer = await bed.hospital.client.get("/v1/alerts", headers=bed.team, params={"stay_id": bed.stay["id"]})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_stolen_token_ends_the_app_and_is_an_alert_on_the_stay(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    tokens = await bed.tokens()
    await steal(bed, database, tokens)
    [alert] = await alerts(bed)
    assert (alert["title"], alert["channel"], alert["severity"]) == ("app_lost", "technical", "medium")
    assert alert["explanation"]["rule_ids"] == ["R24"]
    answer = await hospital.client.post("/v1/readings", headers=bearer(tokens), json=reading())
    assert answer.status_code == 401
    assert [each["end_reason"] for each in await bed.listed("pairings")] == ["tokens_lost"]
    # Time goes on, the thief tries again: it stays one alert, told once.
    assert_ended(await refresh(hospital.client, tokens))
    [again] = await alerts(bed)
    assert (again["id"], again["version"]) == (alert["id"], alert["version"])


async def test_it_is_over_when_readings_come_again(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    await steal(bed, database, await bed.tokens())
    assert [alert["title"] for alert in await alerts(bed)] == ["app_lost"]
    paired_again = await bed.app()
    assert (await hospital.client.post("/v1/readings", headers=paired_again, json=reading())).status_code == 201
    assert await alerts(bed) == []


async def test_an_app_that_comes_after_its_time_is_told_of_too(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    tokens = await bed.tokens()
    async with writing(database) as session:
        await session.execute(update(FAMILY).values(expires_at=real_now() - timedelta(days=1)))
    for _ in range(2):
        assert_ended(await refresh(hospital.client, tokens))
    assert [alert["title"] for alert in await alerts(bed)] == ["app_lost"]


async def test_what_the_team_ended_or_a_discharge_is_no_loss(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    ended, going_home = await bed.tokens(), await bed.tokens()
    pairing_id = (await bed.listed("pairings"))[1]["id"]
    await hospital.client.delete(f"{bed.path}/pairings/{pairing_id}", headers=bed.team)
    assert_unpaired(await refresh(hospital.client, ended))
    assert await alerts(bed) == []
    await bed.discharge()
    assert_unpaired(await refresh(hospital.client, going_home))
    assert await alerts(bed) == []


async def test_an_app_that_comes_too_late_is_told_that_its_pairing_had_ended(
    hospital: Hospital, database: Database
) -> None:
    """Whether its token has run out since or was changed for another whose answer got lost: the first reason counts."""
    bed = await bedside(hospital)
    late, twice = await bed.tokens(), await bed.tokens()
    assert (await refresh(hospital.client, twice)).status_code == 200
    await bed.discharge()
    async with writing(database) as session:
        await session.execute(update(FAMILY).values(rotated_at=real_now() - timedelta(seconds=61)))
    for _ in range(2):
        assert_unpaired(await refresh(hospital.client, twice))
    async with writing(database) as session:
        await session.execute(update(FAMILY).values(expires_at=real_now() - timedelta(days=1)))
    assert_unpaired(await refresh(hospital.client, late))
    assert await alerts(bed) == []


async def test_a_token_that_we_did_not_make_or_keep_tells_nothing_of_a_pairing(
    hospital: Hospital, database: Database
) -> None:
    bed = await bedside(hospital)
    tokens = await bed.tokens()
    await bed.discharge()
    forged = tokens["refresh_token"][:-2] + ("AA" if tokens["refresh_token"][-2:] != "AA" else "BB")
    for text in (forged, "", "x" * 88):
        assert_ended(await refresh(hospital.client, {"refresh_token": text}))
    async with writing(database) as session:
        await session.execute(delete(FAMILY))
    assert_ended(await refresh(hospital.client, tokens))


async def test_a_stolen_token_of_staff_is_nobodys_alert(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    async with reading_session(database) as session:
        who = await find_principal(session, "staff", await hospital.staff_id(bed.ward_id))
    assert who is not None
    given = await hospital.app.state.desk.admit(who, who.scopes)
    await steal(bed, database, {"refresh_token": given.refresh_token})
    async with database.reads.connect() as connection:
        assert (await connection.execute(INCIDENT.select())).all() == []
    assert await alerts(bed) == []
