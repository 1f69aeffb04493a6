"""Attacks on access tokens, and what a remembered token may and may not do."""

import asyncio
import base64
import dataclasses
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import delete, event, func, select, update

from service.access.remembered import Remembered
from service.clock import real_now
from service.settings import Settings
from service.storage.session import reading, writing
from service.storage.tables import MembershipRow, SigningKeyRow, StaffRow
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.time import SettableClock, later
from tests.support.web import part


async def me(hospital: Hospital, token: str) -> httpx.Response:
    return await hospital.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


async def good_claims(hospital: Hospital) -> dict[str, Any]:
    now = int(real_now().timestamp())
    header = await hospital.clinician(await hospital.ward())
    issued = json.loads(base64.urlsafe_b64decode(header["Authorization"].split(".")[1] + "=="))
    return {
        "iss": "wardwatch",
        "aud": "wardwatch",
        "sub": issued["sub"],
        "kind": "staff",
        "family": issued["family"],
        "scope": "wards:read",
        "iat": now,
        "exp": now + 60,
    }


async def signed(hospital: Hospital, claims: dict[str, Any], **header: str) -> str:
    keys = hospital.app.state.tokens.keys
    whole = {"alg": "ES256", "kid": keys.first_id, "typ": "at+jwt", **header}
    return jwt.encode(whole, claims, await keys.get(), algorithms=["ES256"])


async def test_a_token_with_the_right_claims_is_taken(hospital: Hospital) -> None:
    """Without this the attacks below might fail for another reason."""
    assert (await me(hospital, await signed(hospital, await good_claims(hospital)))).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "elsewhere"},
        {"iss": None},
        {"aud": "elsewhere"},
        {"aud": None},
        {"sub": None},
        {"sub": "x' OR 1=1"},
        {"sub": "01890000-0000-7000-8000-000000000000"},
        {"kind": "client"},
        {"kind": "patient"},
        {"family": None},
        {"family": "x"},
        {"family": "01890000-0000-7000-8000-000000000000"},
        {"scope": None},
        {"scope": ["wards:read"]},
        {"iat": None},
        {"exp": None},
        {"exp": "later"},
        {"exp": True},
        {"exp": 1e300},
    ],
    ids=str,
)
async def test_a_token_with_a_wrong_claim_is_refused(hospital: Hospital, change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (await good_claims(hospital) | change).items() if value is not None}
    answer = await me(hospital, await signed(hospital, claims))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="wardwatch", error="invalid_token"'


@pytest.mark.parametrize(("name", "seconds"), [("exp", -1), ("exp", 0), ("nbf", 3600), ("iat", 3600)])
async def test_a_token_outside_its_time_is_refused(hospital: Hospital, name: str, seconds: int) -> None:
    claims = await good_claims(hospital)
    claims[name] = int((real_now() + timedelta(seconds=seconds)).timestamp())
    assert (await me(hospital, await signed(hospital, claims))).status_code == 401


async def test_an_unsigned_token_is_refused(hospital: Hospital) -> None:
    claims = await good_claims(hospital)
    for algorithm in ("none", "None", "NONE", ""):
        header = part({"alg": algorithm, "kid": hospital.app.state.tokens.keys.first_id, "typ": "at+jwt"})
        for signature in ("", "x"):
            assert (await me(hospital, f"{header}.{part(claims)}.{signature}")).status_code == 401


async def test_the_public_key_is_no_password(hospital: Hospital) -> None:
    """The old trick: sign with HS256, the key being the text of the public key."""
    public = (await hospital.client.get("/.well-known/jwks.json")).json()["keys"][0]
    key = await hospital.app.state.tokens.keys.get()
    claims = await good_claims(hospital)
    header = {"alg": "HS256", "kid": public["kid"], "typ": "at+jwt"}
    for text in (key.as_pem(private=False), json.dumps(public).encode()):
        forged = jwt.encode(header, claims, OctKey.import_key(base64.b64encode(text)), algorithms=["HS256"])
        assert (await me(hospital, forged)).status_code == 401


async def test_another_key_is_refused_even_when_it_is_in_the_token(hospital: Hospital) -> None:
    mine = ECKey.generate_key("P-256")
    keys = hospital.app.state.tokens.keys
    await keys.get()
    for header in ({"kid": keys.first_id}, {"kid": keys.first_id, "jwk": mine.as_dict(private=False)}, {}):
        whole = {"alg": "ES256", "typ": "at+jwt", **header}
        forged = jwt.encode(whole, await good_claims(hospital), mine, algorithms=["ES256"])
        assert (await me(hospital, forged)).status_code == 401


async def test_an_empty_signature_is_refused(hospital: Hospital) -> None:
    """Zeros solve the equation of an ECDSA signature where nobody looks whether they are zeros."""
    header, body, _ = (await signed(hospital, await good_claims(hospital))).split(".")
    for signature in (b"\0" * 64, b"\0" * 63 + b"\1", b""):
        forged = f"{header}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
        assert (await me(hospital, forged)).status_code == 401


def signed_by_hand(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    """A token with a header that no library would write."""
    text = f"{part(header)}.{part(claims)}"
    r, s = decode_dss_signature(key.get_op_key("sign").sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_a_token_cannot_say_how_it_is_to_be_read(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its key is, which extensions have to be understood: no key is fetched, and nothing is passed over."""
    claims, tokens = await good_claims(hospital), hospital.app.state.tokens
    right = {"alg": "ES256", "kid": tokens.keys.first_id, "typ": "at+jwt"}
    ours, mine = await tokens.keys.get(), ECKey.generate_key("P-256")
    assert (await me(hospital, signed_by_hand(right, claims, ours))).status_code == 200
    fetched: list[object] = []
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", lambda _self, asked: fetched.append(asked))
    for more in ({"jku": "http://127.0.0.1:9/keys"}, {"x5u": "http://127.0.0.1:9/cert"}):
        assert (await me(hospital, signed_by_hand({**right, **more}, claims, mine))).status_code == 401
    assert fetched == []
    for more in (
        {"crit": ["strange"], "strange": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": "exp"},
        {"crit": [1]},
        {"crit": None},
    ):
        assert (await me(hospital, signed_by_hand({**right, **more}, claims, ours))).status_code == 401


async def test_a_token_of_another_type_or_key_id_is_refused(hospital: Hospital) -> None:
    claims = await good_claims(hospital)
    assert (await me(hospital, await signed(hospital, claims, typ="JWT"))).status_code == 401
    assert (await me(hospital, await signed(hospital, claims, kid="another"))).status_code == 401


async def test_a_damaged_token_is_refused(hospital: Hospital) -> None:
    token = await signed(hospital, await good_claims(hospital))
    header, body, signature = token.split(".")
    wider = part(json.loads(base64.urlsafe_b64decode(body + "==")) | {"scope": "system:admin"})
    for damaged in (
        token[:-1],
        token[: len(token) // 2],
        f"{header}.{body}",
        f"{header}.{body}.",
        f"{header}.{wider}.{signature}",
        token + "." + signature,
        "x" * 20_000,
        token + "x" * 3_000,
        "..",
        "é",
        "null",
        "W10.W10.W10",
    ):
        answer = await hospital.client.get("/v1/me", headers={"Authorization": b"Bearer " + damaged.encode()})
        assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token abc", "Bearer  "])
async def test_without_a_bearer_token_one_is_asked_for(hospital: Hospital, header: str) -> None:
    answer = await hospital.client.get("/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="wardwatch"')


async def test_a_token_holds_no_name(hospital: Hospital) -> None:
    header = await hospital.clinician(await hospital.ward("Secret ward"))
    claims = base64.urlsafe_b64decode(header["Authorization"].split(".")[1] + "==").decode()
    assert set(json.loads(claims)) == {"iss", "aud", "sub", "kind", "family", "scope", "iat", "exp", "jti"}
    assert "Sam" not in claims


async def test_a_known_token_asks_no_database(hospital: Hospital) -> None:
    header = await hospital.clinician(await hospital.ward())
    token = header["Authorization"].split()[1]
    tokens = hospital.app.state.tokens
    first = await tokens.principal_of(token)
    asked: list[str] = []
    engine = hospital.app.state.served.reads.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert await tokens.principal_of(token) is first
    assert asked == []


async def test_requests_with_the_same_new_token_share_one_check(hospital: Hospital) -> None:
    header = await hospital.clinician(await hospital.ward())
    token = header["Authorization"].split()[1]
    asked: list[str] = []
    engine = hospital.app.state.served.reads.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    await asyncio.gather(*(hospital.app.state.tokens.principal_of(token) for _ in range(50)))
    assert len([statement for statement in asked if "staff" in statement]) == 1


async def test_a_lost_role_is_felt_within_a_minute(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    header = await hospital.token("staff", staff_id)
    path = f"/v1/wards/{ward_id}"
    assert (await hospital.client.get(path, headers=header)).status_code == 200
    async with writing(hospital.app.state.database) as session:
        await session.execute(delete(MembershipRow).where(MembershipRow.staff_id == staff_id))
    with later(seconds=61):
        assert (await hospital.client.get(path, headers=header)).status_code == 403


async def test_an_ended_account_is_felt_within_a_minute(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    header = await hospital.token("staff", staff_id)
    assert (await hospital.client.get("/v1/me", headers=header)).status_code == 200
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
    with later(seconds=61):
        assert (await hospital.client.get("/v1/me", headers=header)).status_code == 401


async def test_a_remembered_token_ends_when_it_says(hospital: Hospital) -> None:
    claims = await good_claims(hospital)
    claims["exp"] = int(real_now().timestamp()) + 20
    token = await signed(hospital, claims)
    assert (await me(hospital, token)).status_code == 200
    with later(seconds=21):
        assert (await me(hospital, token)).status_code == 401


async def test_the_memory_of_tokens_is_bounded(hospital: Hospital) -> None:
    hospital.app.state.tokens._remembered = Remembered(most=3)
    staff_id = await hospital.staff_id(await hospital.ward())
    for _ in range(10):
        header = await hospital.token("staff", staff_id)
        assert (await hospital.client.get("/v1/me", headers=header)).status_code == 200
    assert len(hospital.app.state.tokens._remembered) == 3


async def test_replicas_that_start_together_agree_on_one_key(settings: Settings, clock: SettableClock) -> None:
    async with started(settings, clock) as one, started(settings, clock) as two:
        keys = [replica.state.tokens.keys for replica in (one, two) for _ in range(5)]
        found = await asyncio.gather(*(each.get() for each in keys))
        assert len({key.thumbprint() for key in found}) == 1
        async with reading(one.state.database) as session:
            assert (await session.execute(select(func.count()).select_from(SigningKeyRow))).scalar_one() == 1


async def test_another_secret_key_ends_every_token(
    hospital: Hospital, settings: Settings, clock: SettableClock
) -> None:
    header = await hospital.clinician(await hospital.ward())
    changed = dataclasses.replace(settings, secret_key="another secret key, long enough as well")
    async with started(changed, clock) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://ward.test") as client:
            assert (await client.get("/v1/me", headers=header)).status_code == 401
            assert len((await client.get("/.well-known/jwks.json")).json()["keys"]) == 1
