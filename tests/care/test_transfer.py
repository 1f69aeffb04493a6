"""A stay that goes on on another ward: nothing open is lost, and neither ward sees into the other."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import event, select

from service.fields import new_id
from service.storage.session import reading
from service.storage.tables import METADATA
from tests.access.hospital import Headers, Hospital
from tests.support.time import SettableClock
from tests.support.wards import rows_of

NHS_NUMBER = {"system": "nhs_number", "value": "9990000018"}


@pytest.fixture
async def here(hospital: Hospital) -> str:
    return await hospital.ward("Ash")


@pytest.fixture
async def there(hospital: Hospital) -> str:
    return await hospital.ward("Birch")


@pytest.fixture
async def both(hospital: Hospital, here: str, there: str) -> Headers:
    """A clinician of both wards."""
    return await hospital.clinician(here, there)


async def sends(hospital: Hospital, header: Headers, stay: dict[str, Any], spo2: float, **more: Any) -> Any:
    at = hospital.app.state.clock.now().isoformat()
    body = {"stay_id": stay["id"], "observed_at": at, "spo2": spo2, "breathlessness": 1, **more}
    return await hospital.client.post("/v1/readings", headers=header, json=body)


async def transfer(hospital: Hospital, header: Headers, stay: dict[str, Any], ward_id: str, **more: Any) -> Any:
    body = {"version": stay["version"], "ward_id": ward_id, **more}
    return await hospital.client.post(f"/v1/stays/{stay['id']}/transfer", headers=header, json=body)


async def queue(hospital: Hospital, header: Headers, ward_id: str, **query: Any) -> list[Any]:
    params = {"ward_id": ward_id, **query}
    found: list[Any] = (await hospital.client.get("/v1/alerts", headers=header, params=params)).json()["items"]
    return found


async def feed(hospital: Hospital, header: Headers, ward_id: str) -> list[Any]:
    answer = await hospital.client.get(f"/v1/wards/{ward_id}/events", headers=header, params={"limit": 200})
    found: list[Any] = answer.json()["items"]
    assert [each["number"] for each in found] == list(range(1, len(found) + 1))
    return found


async def test_a_transfer_ends_the_stay_here_and_raises_its_alerts_again_there(
    hospital: Hospital, here: str, there: str, both: Headers, clock: SettableClock
) -> None:
    plan = {"baseline_spo2": 97, "prescribed_oxygen_flow": 0, "reading_times": ["08:00"]}
    stay = await hospital.stay(both, here, plan=plan, identifiers=[NHS_NUMBER], family_name="Zebedee")
    await sends(hospital, both, stay, 97)
    clock.advance(minutes=60)
    red = (await sends(hospital, both, stay, 90)).json()["reading_id"]
    clock.advance(minutes=40)
    answer = await transfer(hospital, both, stay, there)

    assert answer.status_code == 200, answer.text
    ended, new = answer.json()["stay"], answer.json()["new_stay"]
    assert (ended["status"], ended["discharge_reason"], ended["version"]) == ("discharged", "transferred", 2)
    assert (new["ward_id"], new["status"], new["previous_stay_id"]) == (there, "active", stay["id"])
    assert {name: new["plan"][name] for name in plan} == plan
    assert new["patient_id"] != stay["patient_id"]
    patient = (await hospital.client.get(f"/v1/patients/{new['patient_id']}", headers=both)).json()
    assert (patient["ward_id"], patient["family_name"], patient["nhs_number"]) == (there, "Zebedee", "9990000018")

    (old,) = await queue(hospital, both, here, state="resolved")
    assert (old["outcome"], old["id"] in str(await queue(hospital, both, here))) == ("transferred", False)
    (alert,) = await queue(hospital, both, there)
    assert (alert["family"], alert["severity"], alert["state"]) == ("oxygen", "critical", "open")
    assert (alert["confirmed"], alert["first_breach_at"]) == (True, old["first_breach_at"])
    assert (alert["opened_at"], alert["respond_by"]) == ("2026-11-22T09:40:00Z", "2026-11-22T09:55:00Z")
    (copy,) = await rows_of(hospital.app.state.database, "reading", ward_id=there)
    assert (copy.copied_from, copy.spo2, copy.stay_id) == (red, 90, new["id"])
    assert {each["reading_id"] for each in alert["explanation"]["inputs"]} == {copy.id}
    (shown,) = (await hospital.client.get(f"/v1/stays/{new['id']}/readings", headers=both)).json()["items"]
    assert (shown["reading_id"], shown["copied_from"]) == (copy.id, red)

    assert [each["type"] for each in await feed(hospital, both, here)][-2:] == ["alert.resolved", "stay.transferred"]
    admitted, opened = await feed(hospital, both, there)
    assert (admitted["type"], admitted["data"]["reason"]) == ("stay.admitted", "transferred")
    assert opened["type"] == "alert.opened"
    for ward_id in (here, there):
        assert "Zebedee" not in str(await feed(hospital, both, ward_id))


async def test_the_counts_of_both_wards_are_true_afterwards(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 90, symptoms=["chest_pain"])
    before = (await hospital.client.get("/v1/alerts", headers=both, params={"ward_id": here})).json()["meta"]
    await transfer(hospital, both, stay, there)
    after = (await hospital.client.get("/v1/alerts", headers=both, params={"ward_id": there})).json()["meta"]
    empty = (await hospital.client.get("/v1/alerts", headers=both, params={"ward_id": here})).json()["meta"]
    assert before["counts"]["by_severity"]["critical"] == 2
    assert (after["counts"], set(empty["counts"]["by_state"].values())) == (before["counts"], {0})


async def test_an_alert_that_no_copied_reading_explains_is_carried_as_it_stood(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here)
    for _ in range(2):
        refused = await hospital.client.post(
            "/v1/readings",
            headers=both,
            json={"stay_id": stay["id"], "observed_at": "2026-11-22T08:00:00Z", "spo2": 101},
        )
        assert refused.status_code == 422
    (old,) = await queue(hospital, both, here)
    await transfer(hospital, both, stay, there)
    (alert,) = await queue(hospital, both, there)
    for field in ("family", "title", "severity", "explanation", "first_breach_at"):
        assert alert[field] == old[field]


async def test_readings_go_on_where_the_alert_is(
    hospital: Hospital, here: str, there: str, both: Headers, clock: SettableClock
) -> None:
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 90)
    clock.advance(minutes=10)
    new = (await transfer(hospital, both, stay, there)).json()["new_stay"]
    assert (await sends(hospital, both, stay, 90)).status_code == 409
    clock.advance(minutes=1)
    again = (await sends(hospital, both, new, 90)).json()
    (alert,) = await queue(hospital, both, there)
    assert [each["alert_id"] for each in again["alerts"]] == [alert["id"]]
    assert (alert["confirmed"], alert["reading_count"]) == (True, 2)


async def test_a_quiet_stay_brings_no_readings(hospital: Hospital, here: str, there: str, both: Headers) -> None:
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 97)
    assert (await transfer(hospital, both, stay, there)).status_code == 200
    assert await rows_of(hospital.app.state.database, "reading", ward_id=there) == []
    assert await queue(hospital, both, there) == []


async def test_somebody_known_there_is_found_and_who_comes_back_as_well(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    known = await hospital.patient(both, there, identifiers=[NHS_NUMBER])
    stay = await hospital.stay(both, here, identifiers=[NHS_NUMBER])
    new = (await transfer(hospital, both, stay, there)).json()["new_stay"]
    assert new["patient_id"] == known["id"]
    nameless = await hospital.stay(both, here)
    away = (await transfer(hospital, both, nameless, there)).json()["new_stay"]
    back = (await transfer(hospital, both, away, here)).json()["new_stay"]
    assert back["patient_id"] == nameless["patient_id"]


async def test_a_stay_there_already_or_another_birth_date_is_refused_and_nothing_moves(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here, identifiers=[NHS_NUMBER])
    await sends(hospital, both, stay, 90)
    other = await hospital.stay(both, there, identifiers=[NHS_NUMBER])
    refused = await transfer(hospital, both, stay, there)
    assert (refused.status_code, refused.json()["code"]) == (409, "active_stay_exists")
    assert refused.json()["stay_id"] == other["id"]
    elder = await hospital.ward()
    three = await hospital.clinician(here, elder)
    await hospital.patient(three, elder, identifiers=[NHS_NUMBER], birth_date="1949-01-01")
    taken = await transfer(hospital, three, stay, elder)
    assert (taken.status_code, taken.json()["code"]) == (409, "identifier_taken")
    assert (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=both)).json()["status"] == "active"
    assert len(await queue(hospital, both, here)) == 1


async def test_what_makes_no_sense_is_refused_in_order(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here)
    path = f"/v1/stays/{stay['id']}/transfer"
    assert (await transfer(hospital, await hospital.clinician(there), stay, there)).status_code == 404
    assert (await transfer(hospital, await hospital.auditor(here, there), stay, there)).status_code == 403
    assert (await hospital.client.post(path, headers=both, json={"ward_id": there})).status_code == 428
    assert (await transfer(hospital, both, {**stay, "version": 9}, there)).status_code == 412
    assert (await transfer(hospital, both, stay, here)).status_code == 422
    assert (await transfer(hospital, both, stay, new_id())).status_code == 404
    assert (await transfer(hospital, both, stay, there)).status_code == 200
    again = await transfer(hospital, both, {**stay, "version": 2}, there)
    assert (again.status_code, again.json()["code"]) == (409, "stay_discharged")


async def test_a_limit_nobody_approved_is_not_approved_there_by_who_proposed_it(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    custom = {"profile": "custom", "red_at": 85, "amber_at": 88, "reason": "COPD", "review_on": "2026-12-01"}
    stay = await hospital.stay(both, here, plan=custom)
    other = await hospital.clinician(here, there)
    edited = await hospital.client.patch(
        f"/v1/stays/{stay['id']}/plan", headers=other, json={"version": 1, "baseline_spo2": 90}
    )
    new = (await transfer(hospital, both, edited.json(), there)).json()["new_stay"]
    assert (new["plan"]["version"], new["plan"]["red_at_approved"], new["limits"]["red_at"]) == (2, False, 88)
    path = f"/v1/stays/{new['id']}/plan/approve"
    for header in (both, other):
        refused = await hospital.client.post(path, headers=header, json={"version": 1})
        assert refused.json()["code"] == "second_clinician_needed"
    approved = await hospital.client.post(path, headers=await hospital.clinician(there), json={"version": 1})
    assert approved.json()["limits"]["red_at"] == 85


async def test_two_transfers_at_once_move_it_once(hospital: Hospital, here: str, there: str, both: Headers) -> None:
    stay = await hospital.stay(both, here, identifiers=[NHS_NUMBER])
    await sends(hospital, both, stay, 90)
    answers = await asyncio.gather(*(transfer(hospital, both, stay, there) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert len(await rows_of(hospital.app.state.database, "stay", ward_id=there)) == 1


async def test_wards_that_exchange_patients_do_not_wait_for_each_other_in_a_circle(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stays = [(await hospital.stay(both, ward_id), other) for ward_id, other in ((here, there), (there, here)) * 4]
    for stay, _ in stays:
        await sends(hospital, both, stay, 90)
    answers = await asyncio.gather(*(transfer(hospital, both, stay, other) for stay, other in stays))
    assert [answer.status_code for answer in answers] == [200] * 8
    for ward_id in (here, there):
        assert len(await queue(hospital, both, ward_id)) == 4
        await feed(hospital, both, ward_id)


async def test_a_transfer_that_is_cut_off_moved_nothing(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 90)
    engine = hospital.app.state.served.writes.sync_engine
    numbers = 0

    def cut(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal numbers
        numbers += statement.startswith("UPDATE ward_feed")
        if numbers == 2:
            raise ConnectionResetError("the line is cut between the two wards' feeds")

    event.listen(engine, "before_cursor_execute", cut)
    try:
        assert (await transfer(hospital, both, stay, there)).status_code == 503
    finally:
        event.remove(engine, "before_cursor_execute", cut)
    assert numbers == 2
    assert await feed(hospital, both, there) == []
    assert len(await queue(hospital, both, here)) == 1
    assert (await transfer(hospital, both, stay, there)).status_code == 200


async def test_no_statement_of_a_transfer_locks_rows_of_two_wards(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    stay = await hospital.stay(both, here, identifiers=[NHS_NUMBER])
    await sends(hospital, both, stay, 90)
    locking: list[str] = []

    def seen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        given = str(parameters)
        if here in given and there in given and ("FOR NO KEY" in statement or statement.startswith("UPDATE")):
            locking.append(statement)

    engine = hospital.app.state.served.writes.sync_engine
    event.listen(engine, "before_cursor_execute", seen)
    narrow = await hospital.clinician(here)
    taker = await hospital.clinician(there)
    offer = (await transfer(hospital, narrow, stay, there)).json()["transfer"]
    accepted = await hospital.client.post(f"/v1/transfers/{offer['id']}/accept", headers=taker)
    event.remove(engine, "before_cursor_execute", seen)
    assert accepted.status_code == 200, accepted.text
    assert locking == []


async def manage(hospital: Hospital, ward_id: str, path: str, body: dict[str, Any]) -> None:
    answer = await hospital.client.put(f"/v1/wards/{ward_id}/{path}", headers=await hospital.lead(ward_id), json=body)
    assert answer.status_code == 200, answer.text


async def go_live(hospital: Hospital, ward_id: str, **numbers: int) -> None:
    path = f"/v1/wards/{ward_id}/rule-sets"
    body = {"numbers": numbers, "reason": "Ours are told later."}
    await hospital.client.post(path, headers=await hospital.lead(ward_id), json=body)
    answer = await hospital.client.post(f"{path}/1/approve", headers=await hospital.lead(ward_id))
    assert answer.status_code == 200, answer.text


async def test_what_moves_is_judged_by_the_rules_of_the_ward_that_takes_it(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    await go_live(hospital, there, standard_red_at=93)
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 93)
    (old,) = await queue(hospital, both, here)
    await transfer(hospital, both, stay, there)
    (alert,) = await queue(hospital, both, there)
    assert (old["severity"], alert["severity"]) == ("high", "critical")
    versions = [each["explanation"]["rule_set_version"] for each in (old, alert)]
    assert versions == ["2026.11.2", "2026.11.2+1"]
    (copy,) = await rows_of(hospital.app.state.database, "reading", ward_id=there)
    receipt = (await hospital.client.get(f"/v1/readings/{copy.id}/evaluation", headers=both)).json()
    assert next(each["outcome"] for each in receipt["rules"] if each["rule_id"] == "R1") == "fired"


async def test_its_limits_are_those_of_the_hours_there(
    hospital: Hospital, here: str, there: str, both: Headers, clock: SettableClock
) -> None:
    await manage(
        hospital, there, "coverage",
        {"service_hours": {"week": {"monday": [{"starts": "10:00", "ends": "20:00"}]}}, "version": 1},
    )  # fmt: skip
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 94)
    await transfer(hospital, both, stay, there)
    (alert,) = await queue(hospital, both, there)
    assert (alert["severity"], alert["respond_by"]) == ("medium", "2026-11-23T12:00:00Z")


async def test_people_out_of_sight_there_are_told_at_once_where_that_ward_does_so(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    steps = [{"after_minutes": 0, "notify": "on_duty", "channel": "email"}]
    await manage(hospital, there, "escalation-policy", {"steps": steps, "version": 1})
    stay = await hospital.stay(both, here)
    await sends(hospital, both, stay, 90)
    await transfer(hospital, both, stay, there)
    (alert,) = await queue(hospital, both, there)
    notices = await rows_of(hospital.app.state.database, "notice")
    assert [(each.ward_id, each.alert_id) for each in notices] == [(there, alert["id"])]


# Offered to a ward one does not work on ---------------------------------------------------------------------


@pytest.fixture
async def giver(hospital: Hospital, here: str) -> Headers:
    return await hospital.clinician(here)


@pytest.fixture
async def taker(hospital: Hospital, there: str) -> Headers:
    return await hospital.clinician(there)


async def test_an_offer_waits_for_the_other_ward(
    hospital: Hospital, here: str, there: str, giver: Headers, taker: Headers
) -> None:
    stay = await hospital.stay(giver, here, family_name="Zebedee")
    await sends(hospital, giver, stay, 90)
    offered = await transfer(hospital, giver, stay, there)
    assert (offered.status_code, offered.json()["status"]) == (202, "pending")
    twice = await transfer(hospital, giver, stay, there)
    assert (twice.json()["code"], twice.json()["transfer_id"]) == ("transfer_pending", offered.json()["transfer"]["id"])
    listed = await hospital.client.get(f"/v1/wards/{there}/transfers", headers=taker)
    assert [each["id"] for each in listed.json()["items"]] == [offered.json()["transfer"]["id"]]
    assert "Zebedee" not in listed.text
    assert stay["patient_id"] not in listed.text
    assert len(await queue(hospital, giver, here)) == 1

    path = f"/v1/transfers/{offered.json()['transfer']['id']}/accept"
    assert (await hospital.client.post(path, headers=giver)).status_code == 404
    stranger = await hospital.clinician(await hospital.ward())
    assert (await hospital.client.post(path, headers=stranger)).status_code == 404
    accepted = await hospital.client.post(path, headers=taker)
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["stay"] is None
    assert accepted.json()["new_stay"]["ward_id"] == there
    assert (await hospital.client.post(path, headers=taker)).json()["code"] in ("transfer_decided", "stay_discharged")
    assert [each["severity"] for each in await queue(hospital, taker, there)] == ["critical"]
    assert (await hospital.client.get(f"/v1/wards/{there}/transfers", headers=taker)).json()["items"] == []
    types = [each["type"] for each in await feed(hospital, taker, there)]
    assert types == ["stay.transfer_proposed", "stay.admitted", "alert.opened"]
    assert stay["id"] not in str((await feed(hospital, taker, there))[0])


async def test_what_a_system_offers_is_taken(hospital: Hospital, here: str, there: str, taker: Headers) -> None:
    giver = await hospital.system(here)
    stay = await hospital.stay(giver, here)
    offered = await transfer(hospital, giver, stay, there)
    accepted = await hospital.client.post(f"/v1/transfers/{offered.json()['transfer']['id']}/accept", headers=taker)
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["new_stay"]["previous_stay_id"] == stay["id"]


@pytest.mark.parametrize("by_the_giver", [False, True])
async def test_an_offer_is_declined_or_taken_back(
    hospital: Hospital, here: str, there: str, giver: Headers, taker: Headers, by_the_giver: bool
) -> None:
    stay = await hospital.stay(giver, here)
    offer = (await transfer(hospital, giver, stay, there)).json()["transfer"]
    path = f"/v1/transfers/{offer['id']}"
    assert (await hospital.client.post(f"{path}/decline", headers=giver if by_the_giver else taker)).status_code == 204
    late = await hospital.client.post(f"{path}/accept", headers=taker)
    assert (late.status_code, late.json()["code"]) == (409, "transfer_decided")
    assert (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=giver)).json()["status"] == "active"
    assert [each["type"] for each in await feed(hospital, giver, here)][-1] == "stay.transfer_declined"
    assert (await transfer(hospital, giver, stay, there)).status_code == 202


async def test_an_offer_dies_with_the_stay_and_with_the_right_to_make_it(
    hospital: Hospital, here: str, there: str, taker: Headers
) -> None:
    staff_id = await hospital.staff_id(here)
    giver = await hospital.token("staff", staff_id)
    stay = await hospital.stay(giver, here)
    offer = (await transfer(hospital, giver, stay, there)).json()["transfer"]
    membership = METADATA.tables["membership"]
    async with hospital.app.state.database.writes.begin() as connection:
        await connection.execute(membership.delete().where(membership.c.staff_id == staff_id))
    gone = await hospital.client.post(f"/v1/transfers/{offer['id']}/accept", headers=taker)
    assert (gone.status_code, gone.json()["code"]) == (409, "conflict")

    other = await hospital.clinician(here)
    stay = await hospital.stay(other, here)
    offer = (await transfer(hospital, other, stay, there)).json()["transfer"]
    left = await hospital.client.post(
        f"/v1/stays/{stay['id']}/discharge", headers=other, json={"version": 1, "reason": "home"}
    )
    assert left.status_code == 200
    ended = await hospital.client.post(f"/v1/transfers/{offer['id']}/accept", headers=taker)
    assert (ended.status_code, ended.json()["code"]) == (409, "stay_discharged")
    async with reading(hospital.app.state.database) as session:
        transfers = METADATA.tables["transfer"]
        statuses = (await session.execute(select(transfers.c.status))).scalars().all()
    assert statuses == ["pending", "pending"]


async def test_readings_and_verbs_that_race_a_transfer_are_before_it_or_refused(
    hospital: Hospital, here: str, there: str, both: Headers
) -> None:
    for _ in range(4):
        stay = await hospital.stay(both, here)
        await sends(hospital, both, stay, 90)
        (alert,) = await queue(hospital, both, here)
        answers = await asyncio.gather(
            *(sends(hospital, both, stay, 89, client_reading_id=str(n)) for n in range(3)),
            hospital.client.post(
                f"/v1/alerts/{alert['id']}/acknowledge", headers=both, json={"version": alert["version"]}
            ),
            transfer(hospital, both, stay, there),
            *(sends(hospital, both, stay, 88, client_reading_id=str(n)) for n in range(3, 6)),
        )
        moved = answers[4].json()["new_stay"]
        sent = [*answers[:3], *answers[5:]]
        assert {answer.status_code for answer in sent} <= {201, 409}
        assert answers[3].status_code in (200, 409, 412)
        assert await queue(hospital, both, here) == []
        (again,) = await queue(hospital, both, there, stay_id=moved["id"])
        copies = await rows_of(hospital.app.state.database, "reading", ward_id=there, stay_id=moved["id"])
        kept = sum(answer.status_code == 201 for answer in sent)
        assert (len(copies), again["reading_count"]) == (1 + kept, 1 + kept)
    for ward_id in (here, there):
        await feed(hospital, both, ward_id)
