"""Managing partner systems."""

from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from service.fields import new_id
from service.storage.session import reading
from service.storage.tables import AuditRow, ClientRow, EventRow
from tests.access.hospital import Headers, Hospital


async def call(hospital: Hospital, header: Headers, method: str, path: str, body: Any = None) -> httpx.Response:
    return await hospital.client.request(method, f"/v1/clients{path}", headers=header, json=body)


async def add(hospital: Hospital, header: Headers, *ward_ids: str, **more: Any) -> httpx.Response:
    body = {"name": "Records", "scopes": ["readings:read"], "ward_ids": list(ward_ids), **more}
    return await call(hospital, header, "POST", "", body)


async def sign_in(hospital: Hospital, client_id: str, secret: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await hospital.client.post("/oauth/token", data=form)


async def test_a_new_system_signs_in_with_the_secret_that_is_shown_once(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    lead = await hospital.lead(ward_id)
    answer = await add(hospital, lead, ward_id)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    assert (await sign_in(hospital, made["id"], made["client_secret"])).json()["scope"] == "readings:read"
    seen = (await call(hospital, lead, "GET", f"/{made['id']}")).json()
    assert seen == {key: value for key, value in made.items() if key != "client_secret"}
    async with reading(hospital.app.state.database) as session:
        assert made["client_secret"] not in str((await session.execute(select(ClientRow.secret_hash))).all())


async def test_two_secrets_are_good_until_the_older_is_ended(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    made = (await add(hospital, admin, ward_id)).json()
    first = made["client_secret"]
    assert (await call(hospital, admin, "DELETE", f"/{made['id']}/secrets/previous")).status_code == 409
    second = (await call(hospital, admin, "POST", f"/{made['id']}/secrets")).json()["client_secret"]
    for secret in (first, second):
        assert (await sign_in(hospital, made["id"], secret)).status_code == 200
    assert (await call(hospital, admin, "GET", f"/{made['id']}")).json()["secrets"] == 2
    old_token = (await sign_in(hospital, made["id"], first)).json()["access_token"]
    assert (await call(hospital, admin, "DELETE", f"/{made['id']}/secrets/previous")).status_code == 204
    assert (await sign_in(hospital, made["id"], first)).status_code == 401
    assert (await sign_in(hospital, made["id"], second)).status_code == 200
    assert (await hospital.client.get("/v1/me", headers={"Authorization": f"Bearer {old_token}"})).status_code == 401
    third = (await call(hospital, admin, "POST", f"/{made['id']}/secrets")).json()["client_secret"]
    await call(hospital, admin, "POST", f"/{made['id']}/secrets")
    assert (await sign_in(hospital, made["id"], second)).status_code == 401
    assert (await sign_in(hospital, made["id"], third)).status_code == 200


async def test_a_lead_manages_only_systems_of_the_own_wards(hospital: Hospital) -> None:
    mine, theirs = await hospital.ward(), await hospital.ward()
    lead, admin = await hospital.lead(mine), await hospital.administrator()
    foreign = (await add(hospital, admin, theirs)).json()["id"]
    shared = (await add(hospital, admin, mine, theirs)).json()["id"]
    assert (await add(hospital, lead, mine, theirs)).status_code == 404
    assert (await call(hospital, lead, "GET", f"/{foreign}")).status_code == 404
    assert (await call(hospital, lead, "POST", f"/{foreign}/secrets")).status_code == 404
    assert (await call(hospital, lead, "GET", f"/{shared}")).json()["ward_ids"] == [mine]
    assert (await call(hospital, lead, "POST", f"/{shared}/secrets")).status_code == 403
    assert (await call(hospital, lead, "PATCH", f"/{shared}", {"active": False})).status_code == 403
    assert [each["id"] for each in (await call(hospital, lead, "GET", "")).json()["items"]] == [shared]
    own = (await add(hospital, lead, mine)).json()["id"]
    assert (await call(hospital, lead, "PATCH", f"/{own}", {"ward_ids": [mine, theirs]})).status_code == 404


async def test_what_a_system_may_do_is_changed_and_felt_at_once(hospital: Hospital) -> None:
    one, two = await hospital.ward(), await hospital.ward()
    admin = await hospital.administrator()
    made = (await add(hospital, admin, one, scopes=["readings:read", "wards:read"])).json()
    token = (await sign_in(hospital, made["id"], made["client_secret"])).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    async def status(ward_id: str) -> int:
        return (await hospital.client.get(f"/v1/wards/{ward_id}", headers=header)).status_code

    assert [await status(one), await status(two)] == [200, 404]
    await call(hospital, admin, "PATCH", f"/{made['id']}", {"ward_ids": [two]})
    assert [await status(one), await status(two)] == [404, 200]
    changed = await call(hospital, admin, "PATCH", f"/{made['id']}", {"scopes": ["readings:read"], "name": "New"})
    assert (changed.json()["scopes"], changed.json()["name"]) == (["readings:read"], "New")
    assert await status(two) == 403
    await call(hospital, admin, "PATCH", f"/{made['id']}", {"active": False})
    assert await status(two) == 401
    assert (await sign_in(hospital, made["id"], made["client_secret"])).status_code == 401


async def test_a_system_gets_no_scope_that_is_not_for_systems(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    for scopes in (["system:admin"], ["audit:read"], ["anything"], []):
        assert (await add(hospital, admin, ward_id, scopes=scopes)).status_code == 422
    assert (await add(hospital, admin)).status_code == 422
    assert (await add(hospital, admin, new_id())).status_code == 404


async def test_every_ward_of_a_system_hears_what_is_done_with_it(hospital: Hospital) -> None:
    wards, admin = [await hospital.ward(), await hospital.ward()], await hospital.administrator()
    made = (await add(hospital, admin, *wards)).json()
    await call(hospital, admin, "POST", f"/{made['id']}/secrets")
    await call(hospital, admin, "DELETE", f"/{made['id']}/secrets/previous")
    await call(hospital, admin, "PATCH", f"/{made['id']}", {"active": False})
    done = [f"client.{each}" for each in ("joined", "secret_added", "secret_ended", "changed")]
    for ward_id in wards:
        async with reading(hospital.app.state.database) as session:
            told = select(EventRow.type).where(EventRow.ward_id == ward_id).order_by(EventRow.number)
            events = (await session.scalars(told)).all()
            noted = select(AuditRow.action).where(AuditRow.ward_id == ward_id, AuditRow.subject_id == made["id"])
            entries = (await session.scalars(noted.order_by(AuditRow.id))).all()
        assert (events, entries) == (done, done)


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KEYS = {"keys": [{**ECKey.generate_key("P-384").as_dict(private=False), "kid": "e"}]}
PAGE = {"redirect_uris": ["https://dashboard.test/back"]}


@SQLITE
async def test_a_leaked_secret_is_ended_by_its_id_whichever_it_is(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    made = (await add(hospital, admin, ward_id)).json()
    path, first = f"/{made['id']}", made["client_secret"]
    second = (await call(hospital, admin, "POST", f"{path}/secrets")).json()
    assert second["secret_id"] != second["client_secret"]
    ids = (await call(hospital, admin, "GET", path)).json()["secret_ids"]
    assert ids == [second["secret_id"], *made["secret_ids"]]
    token = (await sign_in(hospital, made["id"], first)).json()["access_token"]
    assert (await call(hospital, admin, "DELETE", f"{path}/secrets/{'0' * 16}")).status_code == 404
    assert (await call(hospital, admin, "DELETE", f"{path}/secrets/{second['secret_id']}")).status_code == 204
    assert (await sign_in(hospital, made["id"], second["client_secret"])).status_code == 401
    assert (await sign_in(hospital, made["id"], first)).status_code == 200
    assert (await hospital.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await call(hospital, admin, "GET", path)).json()["secret_ids"] == made["secret_ids"]


@SQLITE
async def test_the_last_secret_ends_only_where_keys_are_registered(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    for page in ({}, PAGE):
        made = (await add(hospital, admin, ward_id, **page)).json()
        last = f"/{made['id']}/secrets/{made['secret_ids'][0]}"
        refused = await call(hospital, admin, "DELETE", last)
        assert (refused.status_code, refused.json()["code"]) == (409, "last_credential")
        assert "new secret" in refused.json()["detail"]
        assert "end it" in refused.json()["detail"]
        await call(hospital, admin, "PATCH", f"/{made['id']}", {"jwks": KEYS})
        assert (await call(hospital, admin, "DELETE", last)).status_code == 204
        left = (await call(hospital, admin, "GET", f"/{made['id']}")).json()
        assert (left["secrets"], left["secret_ids"], left["public"]) == (0, [], False)
        assert (await sign_in(hospital, made["id"], made["client_secret"])).status_code == 401


@SQLITE
async def test_no_client_becomes_another_kind_by_what_is_taken_away(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    for page in ({}, PAGE):
        keyed = (await add(hospital, admin, ward_id, jwks=KEYS, **page)).json()
        refused = await call(hospital, admin, "PATCH", f"/{keyed['id']}", {"jwks": None, "name": "Other"})
        assert (refused.status_code, refused.json()["code"]) == (409, "last_credential")
        assert (await call(hospital, admin, "GET", f"/{keyed['id']}")).json() == {
            name: value for name, value in keyed.items() if name != "client_secret"
        }
        other = {"jwks": None, "jwks_url": "https://records.test/keys"}
        assert (await call(hospital, admin, "PATCH", f"/{keyed['id']}", other)).json()["public"] is False
    public = (await add(hospital, admin, ward_id, public=True, **PAGE)).json()
    assert (await call(hospital, admin, "PATCH", f"/{public['id']}", {"jwks": KEYS})).status_code == 409
    none = await call(hospital, admin, "PATCH", f"/{public['id']}", {"redirect_uris": []})
    assert (none.status_code, none.json()["errors"][0]["pointer"]) == (422, "/redirect_uris")
    moved = {"redirect_uris": ["https://dashboard.test/other"]}
    assert (await call(hospital, admin, "PATCH", f"/{public['id']}", moved)).json()["public"] is True
