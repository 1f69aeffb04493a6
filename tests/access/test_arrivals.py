"""People from elsewhere: what they may do, who they are to everybody else, and how they are sent away."""

import dataclasses
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from service.access.issuers import read_issuers
from service.app import create_app
from service.clock import real_now
from service.errors import NotAuthenticated, SettingInvalid
from service.fields import new_id
from service.settings import Settings
from service.storage.session import reading
from service.storage.tables import AuditRow, EventRow, StaffRow
from tests.access.hospital import Headers, Hospital
from tests.conftest import started
from tests.support.issuer import Issuer, configured
from tests.support.time import SettableClock, later


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    return configured(settings, issuer)


def header(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


async def get(hospital: Hospital, path: str, token: str | Headers) -> httpx.Response:
    return await hospital.client.get(f"/v1{path}", headers=header(token) if isinstance(token, str) else token)


async def me(hospital: Hospital, token: str) -> Any:
    answer = await get(hospital, "/me", token)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def roles(hospital: Hospital, token: str) -> dict[str, str]:
    return {each["id"]: each["role"] for each in (await me(hospital, token))["wards"]}


async def count(hospital: Hospital, table: Any, *where: Any) -> int:
    async with reading(hospital.app.state.database) as session:
        return (await session.execute(select(func.count()).select_from(table).where(*where))).scalar_one()


async def test_the_guards_hold_for_them_as_for_everybody(hospital: Hospital, issuer: Issuer) -> None:
    mine, other = await hospital.ward("Mine"), await hospital.ward("Other")
    token = issuer.token(roles=["nurse"], wards=[mine])
    stay = await hospital.stay(header(token), mine)
    assert (await get(hospital, f"/stays/{stay['id']}", token)).status_code == 200
    elsewhere = await hospital.stay(await hospital.clinician(other), other)
    assert (await get(hospital, f"/stays/{elsewhere['id']}", token)).status_code == 404
    assert (await get(hospital, f"/wards/{other}", token)).status_code == 404
    assert (await get(hospital, "/audit", token)).json()["code"] == "scope_missing"


async def test_they_are_known_to_colleagues_the_trail_and_the_feed(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    token = issuer.token(roles=["nurse"], wards=[ward_id], email="Sam@Trust.example")
    id_ = (await me(hospital, token))["principal"]["id"]
    seen = (await get(hospital, f"/staff/{id_}", await hospital.lead(ward_id))).json()
    assert (seen["name"], seen["email"], seen["issuer"]) == ("Sam Elsewhere", "sam@trust.example", issuer.url)
    assert seen["roles"] == [{"ward_id": ward_id, "role": "clinician"}]
    colleagues = (await get(hospital, f"/wards/{ward_id}/staff", await hospital.lead(ward_id))).json()["items"]
    assert id_ in [each["id"] for each in colleagues]
    entries = (await get(hospital, "/audit", await hospital.auditor(ward_id))).json()["items"]
    about = {(each["action"], each["actor"]["id"]) for each in entries if (each["subject"] or {}).get("id") == id_}
    assert about >= {("sign_in", id_), ("staff.joined", id_)}
    assert await count(hospital, EventRow, EventRow.type == "staff.joined") == 1


async def test_a_token_that_is_used_often_is_one_sign_in_and_a_newer_one_is_another(
    hospital: Hospital, issuer: Issuer
) -> None:
    ward_id = await hospital.ward()
    token = issuer.token(roles=["nurse"], wards=[ward_id])
    for minutes in (0, 2, 4):
        with later(minutes=minutes):
            await me(hospital, token)
    assert await count(hospital, AuditRow, AuditRow.action == "sign_in") == 1
    with later(minutes=4):
        await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))
    assert await count(hospital, AuditRow, AuditRow.action == "sign_in") == 2
    assert await count(hospital, StaffRow) == 1


async def test_rights_follow_the_newest_token_and_an_older_one_gives_no_more(
    hospital: Hospital, issuer: Issuer
) -> None:
    one, two = sorted([await hospital.ward("One"), await hospital.ward("Two")])
    old = issuer.token(roles=["sister"], wards=[one, two])
    assert await roles(hospital, old) == {one: "lead", two: "lead"}
    with later(seconds=30):
        new = issuer.token(roles=["nurse"], wards=[one])
        assert await roles(hospital, new) == {one: "clinician"}
        await hospital.app.state.tokens.catch_up()
        assert await roles(hospital, old) == {one: "clinician"}
    with later(seconds=90):
        back = issuer.token(roles=["sister"], wards=[one, two])
        assert await roles(hospital, back) == {one: "lead", two: "lead"}
        await hospital.app.state.tokens.catch_up()
        assert await roles(hospital, new) == {one: "clinician"}, "a token gives no more than it says"
    changes = AuditRow.action == "staff.role_changed"
    assert await count(hospital, AuditRow, changes, AuditRow.ward_id == two) == 2


async def test_whoever_has_nothing_here_gets_no_account(hospital: Hospital, issuer: Issuer) -> None:
    await hospital.ward()
    nothing: list[dict[str, Any]] = [
        {},
        {"roles": ["porter"]},
        {"roles": ["nurse"], "wards": []},
        {"roles": {"nurse": 1}},
    ]
    for number, claims in enumerate(nothing):
        found = await me(hospital, issuer.token(f"nobody {number}", **claims))
        assert (found["scopes"], found["wards"]) == ([], [])
    assert await count(hospital, StaffRow) == 0


async def test_unknown_wards_give_nothing(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    wards = [new_id(), "Ward 7", ward_id.upper(), "x' OR 1=1"]
    assert await roles(hospital, issuer.token(roles=["nurse"], wards=wards)) == {}
    assert await roles(hospital, issuer.token("other", roles=["nurse"], wards=[*wards, ward_id])) == {
        ward_id: "clinician"
    }


async def test_the_strongest_of_several_roles_counts(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    token = issuer.token(roles=["records", "nurse", "sister", "porter", 7], wards=ward_id)
    assert await roles(hospital, token) == {ward_id: "lead"}


async def test_an_administrator_from_elsewhere_sees_nothing_clinical(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    token = issuer.token(roles=["it"])
    assert (await me(hospital, token))["scopes"] == ["system:admin", "wards:read"]
    assert (await get(hospital, f"/wards/{ward_id}/stays", token)).status_code == 403
    with later(seconds=30):
        await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))
        await hospital.app.state.tokens.catch_up()
        assert (await get(hospital, "/clients", token)).status_code == 403


def test_groups_that_name_their_wards_and_claims_within_claims(settings: Settings, issuer: Issuer) -> None:
    ward_id, other = new_id(), new_id()
    mapped = {
        "role_claim": ["realm_access", "roles"], "ward_claim": "https://trust.example/wards",
        "roles": {"grp-7a": {"role": "lead", "wards": [ward_id]}, "grp-nurses": "clinician"},
        "wards": {"Ward 8": other},
    }  # fmt: skip
    (one,) = read_issuers(configured(settings, issuer, **mapped))
    claims = {"realm_access": {"roles": ["grp-7a", "grp-nurses"]}, "https://trust.example/wards": "Ward 8"}
    assert one.rights(claims).roles == {ward_id: "lead", other: "clinician"}


async def test_signing_out_ends_their_tokens_too(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    now = int(real_now().timestamp())
    first, second = (issuer.token(roles=["nurse"], wards=[ward_id], jti=str(n), iat=now - n) for n in (0, 1))
    await me(hospital, first)
    await me(hospital, second)
    assert (await hospital.client.post("/v1/me/sign-out-everywhere", headers=header(first))).status_code == 204
    for token in (first, second):
        assert (await get(hospital, "/me", token)).status_code == 401
    with later(seconds=5):
        fresh = issuer.token(roles=["nurse"], wards=[ward_id])
        assert (await get(hospital, "/me", fresh)).status_code == 200
        assert (await hospital.client.post("/oauth/revoke", data={"token": fresh})).status_code == 200
        assert (await get(hospital, "/me", fresh)).status_code == 401


async def test_an_account_that_was_ended_here_stays_ended(hospital: Hospital, issuer: Issuer) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    token = issuer.token(roles=["nurse"], wards=[ward_id])
    id_ = (await me(hospital, token))["principal"]["id"]
    path = f"/v1/staff/{id_}"
    assert (await hospital.client.patch(path, headers=admin, json={"active": False})).status_code == 200
    assert (await get(hospital, "/me", token)).status_code == 401
    with later(minutes=5):
        assert (await get(hospital, "/me", issuer.token(roles=["sister"], wards=[ward_id]))).status_code == 401
    assert await count(hospital, AuditRow, AuditRow.action == "sign_in", AuditRow.actor_id == id_) == 1


async def test_every_replica_feels_it(
    hospital: Hospital, issuer: Issuer, settings: Settings, clock: SettableClock
) -> None:
    ward_id = await hospital.ward()
    token = issuer.token(roles=["nurse"], wards=[ward_id])
    async with started(settings, clock) as app:
        elsewhere = app.state.tokens
        assert (await elsewhere.principal_of(token)).roles == {ward_id: "clinician"}
        await hospital.client.post("/v1/me/sign-out-everywhere", headers=header(token))
        await elsewhere.catch_up()
        with pytest.raises(NotAuthenticated):
            await elsewhere.principal_of(token)


async def test_their_rights_name_and_password_are_not_changed_here(hospital: Hospital, issuer: Issuer) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    token = issuer.token(roles=["nurse"], wards=[ward_id])
    path = f"/v1/staff/{(await me(hospital, token))['principal']['id']}"
    for method, where, body in (
        ("PATCH", path, {"name": "Other"}), ("PATCH", path, {"administrator": True}),
        ("PUT", f"{path}/wards/{ward_id}", {"role": "lead"}), ("DELETE", f"{path}/wards/{ward_id}", None),
        ("POST", f"{path}/password-reset", None),
    ):  # fmt: skip
        answer = await hospital.client.request(method, where, headers=admin, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), where
    change = {"current_password": "x", "new_password": "correct horse battery"}
    assert (await hospital.client.post("/v1/me/password", headers=header(token), json=change)).status_code == 403
    assert (await hospital.client.post(f"{path}/sign-out", headers=admin)).status_code == 204
    assert (await get(hospital, "/me", token)).status_code == 401


async def test_an_address_of_another_account_opens_nothing_of_it(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    theirs = await hospital.staff_id(ward_id, role="lead")
    admin = await hospital.administrator()
    email = (await get(hospital, f"/staff/{theirs}", admin)).json()["email"]
    found = await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id], email=email, email_verified=True))
    id_ = found["principal"]["id"]
    assert id_ != theirs
    assert (await get(hospital, f"/staff/{id_}", admin)).json()["email"] == f"{id_}@none.invalid"


@pytest.mark.parametrize("email", ["a@x.test,b@evil.test", "<>", f"{'a' * 300}@x.test", f"a@{'b.' * 130}test.evil", 7])
async def test_what_is_no_address_is_not_kept_as_one(hospital: Hospital, issuer: Issuer, email: Any) -> None:
    token = issuer.token(roles=["nurse"], wards=[await hospital.ward()], email=email, name="Sam\u202eerehwesle")
    found = (await me(hospital, token))["principal"]
    seen = (await get(hospital, f"/staff/{found['id']}", await hospital.administrator())).json()
    assert (seen["email"], seen["name"]) == (f"{found['id']}@none.invalid", "Staff")


async def test_a_remembered_token_costs_no_database(hospital: Hospital, issuer: Issuer) -> None:
    token = issuer.token(roles=["nurse"], wards=[await hospital.ward()])
    tokens = hospital.app.state.tokens
    who = await tokens.principal_of(token)
    asked = len(issuer.asked)
    await hospital.app.state.served.close()
    assert await tokens.principal_of(token) is who
    assert len(issuer.asked) == asked


# Settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issuer": "http://login.trust.example"}, "issuer 0 issuer: Value error, must be an https URL"),
        ({"issuer": "https://a@login.trust.example"}, "issuer 0 issuer"),
        ({"issuer": None}, "issuer 0 issuer"),
        ({"audience": ""}, "issuer 0 audience"),
        ({"algorithms": ["HS256"]}, "issuer 0 algorithms"),
        ({"algorithms": ["none"]}, "issuer 0 algorithms"),
        ({"algorithms": []}, "issuer 0 algorithms"),
        ({"clock_skew_seconds": 121}, "issuer 0 clock_skew_seconds"),
        ({"roles": {}}, "issuer 0 roles"),
        ({"roles": {"x": "doctor"}}, "issuer 0 roles"),
        ({"roles": {"x": {"role": "lead", "wards": ["Ward 7"]}}}, "issuer 0 roles"),
        ({"ward_claim": None}, "ward_claim is needed"),
        ({"jwks_url": "ftp://x"}, "issuer 0 jwks_url"),
        ({"scopes": "all"}, "issuer 0: Extra inputs"),
    ],
    ids=str,
)  # fmt: skip
def test_a_service_with_issuers_that_cannot_be_used_does_not_start(
    settings: Settings, issuer: Issuer, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingInvalid) as refused:
        create_app(configured(settings, issuer, **change))
    assert refused.value.detail.startswith("WARDWATCH_OIDC_ISSUERS cannot be used: ")
    assert says in refused.value.detail


@pytest.mark.parametrize("text", ["no JSON", "{}", "[1]", '["https://login.example"]'])
def test_what_is_no_list_of_issuers_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(SettingInvalid, match="WARDWATCH_OIDC_ISSUERS cannot be used"):
        create_app(dataclasses.replace(settings, oidc_issuers=text))


def test_an_issuer_twice_or_this_service_itself_is_refused(settings: Settings, issuer: Issuer) -> None:
    once = json.loads(configured(settings, issuer).oidc_issuers)
    with pytest.raises(SettingInvalid, match="there twice"):
        create_app(dataclasses.replace(settings, oidc_issuers=json.dumps(once * 2)))
    with pytest.raises(SettingInvalid, match="which is this service"):
        create_app(dataclasses.replace(configured(settings, issuer), issuer=issuer.url))
