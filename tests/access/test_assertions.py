"""Systems that sign in with a key of their own, and attacks on that."""

import asyncio
import base64
import dataclasses
import gzip
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import func, select
from structlog.testing import capture_logs

from service.access.assertions import ASSERTION_TYPE, USED
from service.access.client_keys import KeysByUrl
from service.access.refusals import InvalidClient
from service.clock import real_now
from service.destinations import Destinations
from service.fields import new_id
from service.settings import Settings
from service.storage.session import reading
from tests.access.hospital import Headers, Hospital
from tests.conftest import started
from tests.support.time import SettableClock, later
from tests.support.web import certificate, listening, part

AUDIENCE = "http://127.0.0.1:8000/oauth/token"
RSA, EC, OTHER = RSAKey.generate_key(2048), ECKey.generate_key("P-384"), RSAKey.generate_key(2048)
KEYS = {"r": RSA, "e": EC}
JWKS = {"keys": [{**key.as_dict(private=False), "kid": kid} for kid, key in KEYS.items()]}
ALGORITHMS = ["RS384", "RS512", "ES384", "RS256", "HS384", "HS512", "PS384"]


async def add(hospital: Hospital, header: Headers, ward_id: str, **keys: Any) -> httpx.Response:
    body = {"name": "Records", "scopes": ["readings:read"], "ward_ids": [ward_id], **keys}
    return await hospital.client.post("/v1/clients", headers=header, json=body)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The clients' own servers are on this machine."""
    return dataclasses.replace(settings, allowed_networks="127.0.0.0/8")


@pytest.fixture
async def client_id(hospital: Hospital) -> str:
    """A client with two keys."""
    answer = await add(hospital, await hospital.administrator(), await hospital.ward(), jwks=JWKS)
    assert (answer.status_code, answer.json()["client_secret"]) == (201, None), answer.text
    return str(answer.json()["id"])


@asynccontextmanager
async def replica(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx.AsyncClient]:
    """Another process on the same database."""
    async with (
        started(settings, clock) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://other.test") as client,
    ):
        yield client


def claims_of(client_id: str, **changes: Any) -> dict[str, Any]:
    now = int(real_now().timestamp())
    whole = {"iss": client_id, "sub": client_id, "aud": AUDIENCE, "jti": new_id(), "iat": now, "exp": now + 240}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def signed(claims: dict[str, Any], algorithm: str = "RS384", kid: str | None = "r", key: Any = None) -> str:
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {})
    return jwt.encode(header, claims, key or KEYS[kid or "r"], algorithms=ALGORITHMS)


async def sign_in(client: httpx.AsyncClient, assertion: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **more,
    }
    return await client.post("/oauth/token", data=form)


@pytest.mark.parametrize(("algorithm", "kid"), [("RS384", "r"), ("RS512", "r"), ("ES384", "e")])
async def test_a_system_signs_in_with_its_key(hospital: Hospital, client_id: str, algorithm: str, kid: str) -> None:
    answer = await sign_in(hospital.client, signed(claims_of(client_id), algorithm, kid), client_id=client_id)
    assert answer.status_code == 200
    assert answer.json()["scope"] == "readings:read"
    without = await hospital.client.post(
        "/oauth/token", data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": ""}
    )
    assert without.status_code == 401


def seconds(count: int) -> int:
    return int(real_now().timestamp()) + count


WRONG = {
    "another issuer": lambda: {"iss": new_id()},
    "no issuer": lambda: {"iss": None},
    "another subject": lambda: {"sub": new_id()},
    "no subject": lambda: {"sub": None},
    "subject no id": lambda: {"sub": "x' OR 1=1", "iss": "x' OR 1=1"},
    "another audience": lambda: {"aud": "https://elsewhere.test/oauth/token"},
    "an audience among others": lambda: {"aud": [AUDIENCE, "https://elsewhere.test"]},
    "no audience": lambda: {"aud": None},
    "no end": lambda: {"exp": None},
    "expired": lambda: {"exp": seconds(0)},
    "good for too long": lambda: {"exp": seconds(400)},
    "end no number": lambda: {"exp": "later"},
    "end true": lambda: {"exp": True},
    "end without end": lambda: {"exp": 10**30},
    "made in the future": lambda: {"iat": seconds(100)},
    "made long ago": lambda: {"iat": seconds(-1000)},
    "not good yet": lambda: {"nbf": seconds(100)},
    "no jti": lambda: {"jti": None},
    "jti a number": lambda: {"jti": 7},
    "long jti": lambda: {"jti": "x" * 201},
}


async def test_a_wrong_claim_is_refused(hospital: Hospital, client_id: str) -> None:
    for name, change in WRONG.items():
        answer = await sign_in(hospital.client, signed(claims_of(client_id, **change())))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), name
        told = [word for word in ("iss", "aud", "jti", "exp", "iat", "nbf") if word in answer.json()["detail"].split()]
        # Whom it is of decides on the key: where that is wrong nothing was signed, and nothing is told.
        assert told == ([] if "sub" in change() else list(change())), name
    assert (await sign_in(hospital.client, signed(claims_of(client_id)))).status_code == 200


async def test_a_wrong_signature_key_or_algorithm_is_refused(hospital: Hospital, client_id: str) -> None:
    claims = claims_of(client_id)
    good = signed(claims)
    header, body, signature = good.split(".")
    public = OctKey.import_key(base64.b64encode(RSA.as_pem(private=False)))
    own = {"alg": "RS384", "kid": "r", "jwk": OTHER.as_dict(private=False), "jku": "https://elsewhere.test/keys"}
    attacks = {
        "none": f"{part({'alg': 'none', 'kid': 'r'})}.{part(claims)}.",
        "None with a signature": f"{part({'alg': 'None', 'kid': 'r'})}.{part(claims)}.{signature}",
        "the public key as a password": signed(claims, "HS384", "r", public),
        "another key": signed(claims, "RS384", "r", OTHER),
        "a key in the token": jwt.encode(own, claims, OTHER, algorithms=ALGORITHMS),
        "a weaker algorithm": signed(claims, "RS256"),
        "another padding": signed(claims, "PS384"),
        "an unknown key id": signed(claims, "RS384", "x", RSA),
        "no key id": signed(claims, "RS384", None),
        "the other key's id": signed(claims, "RS384", "e", RSA),
        "a changed claim": f"{header}.{part(claims | {'jti': 'x'})}.{signature}",
        "truncated": good[:-3],
        "no signature": f"{header}.{body}.",
        "a part more": f"{good}.{signature}",
        "oversized": good + "A" * 5_000,
        "nothing": "",
        "dots": "..",
        "no JSON": "W10.W10.W10",
        "a header of the wrong type": f"{part({'alg': 'RS384', 'kid': 'r', 'crit': None})}.{part(claims)}.{signature}",
    }
    for name, assertion in attacks.items():
        answer = await sign_in(hospital.client, assertion)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), name
        assert answer.json()["detail"] == InvalidClient.__doc__, name
    assert (await sign_in(hospital.client, good)).status_code == 200


async def test_an_assertion_is_good_once_on_all_replicas_together(
    hospital: Hospital, client_id: str, settings: Settings, clock: SettableClock
) -> None:
    assertion = signed(claims_of(client_id))
    async with replica(settings, clock) as second:
        replicas = [hospital.client, second] * 3
        answers = await asyncio.gather(*(sign_in(each, assertion) for each in replicas))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]
    again = await sign_in(hospital.client, assertion)
    assert (again.status_code, "jti was used before" in again.json()["detail"]) == (401, True)


async def test_used_assertions_are_cleared_away_when_they_have_ended(hospital: Hospital, client_id: str) -> None:
    await sign_in(hospital.client, signed(claims_of(client_id)))
    with later(minutes=10):
        await sign_in(hospital.client, signed(claims_of(client_id)))
    async with reading(hospital.app.state.database) as session:
        assert (await session.execute(select(func.count()).select_from(USED))).scalar_one() == 1


async def test_one_way_to_sign_in_and_the_right_type(hospital: Hospital, client_id: str) -> None:
    assertion = signed(claims_of(client_id))
    assert (await sign_in(hospital.client, assertion, client_secret="x")).json()["error"] == "invalid_request"
    other = await sign_in(hospital.client, assertion, client_assertion_type="saml")
    assert other.json()["error"] == "invalid_request"
    assert (await sign_in(hospital.client, assertion, client_id=new_id())).status_code == 401


async def test_a_client_with_keys_gets_no_secret(hospital: Hospital, client_id: str) -> None:
    path, admin = f"/v1/clients/{client_id}", await hospital.administrator()
    answer = await hospital.client.post(f"{path}/secrets", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "signs in with keys" in answer.json()["detail"]
    assert (await hospital.client.get(path, headers=admin)).json()["secrets"] == 0


async def test_a_key_that_is_taken_away_ends_what_it_got(hospital: Hospital, client_id: str) -> None:
    token = (await sign_in(hospital.client, signed(claims_of(client_id)))).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert (await hospital.client.get("/v1/me", headers=header)).status_code == 200
    kept = {"keys": [each for each in JWKS["keys"] if each["kid"] == "e"]}
    path, admin = f"/v1/clients/{client_id}", await hospital.administrator()
    assert (await hospital.client.patch(path, headers=admin, json={"jwks": kept})).json()["jwks"] == kept
    assert (await hospital.client.get("/v1/me", headers=header)).status_code == 401
    assert (await sign_in(hospital.client, signed(claims_of(client_id)))).status_code == 401
    assert (await sign_in(hospital.client, signed(claims_of(client_id), "ES384", "e"))).status_code == 200


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": []},
        {"keys": [RSA.as_dict(private=False)]},
        {"keys": [{**RSA.as_dict(private=True), "kid": "r"}]},
        {"keys": [{"kty": "RSA", "n": "w" * 171, "e": "AQAB", "kid": "r"}]},
        {"keys": [{**ECKey.generate_key("P-256").as_dict(private=False), "kid": "r"}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "r"}]},
        {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB", "kid": "r"}]},
        {"keys": ["r"]},
        {"keys": [JWKS["keys"][0], JWKS["keys"][0]]},
        {"keys": [JWKS["keys"][0]], "more": 1},
    ],
    ids=range(11),
)
async def test_keys_that_cannot_be_used_are_refused(hospital: Hospital, keys: dict[str, Any]) -> None:
    answer = await add(hospital, await hospital.administrator(), await hospital.ward(), jwks=keys)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/jwks"])


# Keys under a URL ------------------------------------------------------------------------------------------


PACKED = b"\x1f\x8b"


class KeyServer:
    """The client's own server: it gives `answer`, over TLS, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: bytes = json.dumps({"keys": []}).encode()
        self.status, self.asked, self.url = 200, 0, ""

    def get(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        self.asked += 1
        request.send_response(self.status)
        if self.status == 302:
            request.send_header("Location", f"{self.url}/elsewhere")
        if self.answer.startswith(PACKED):
            request.send_header("Content-Encoding", "gzip")
        request.end_headers()
        request.wfile.write(self.answer)


@pytest.fixture
def key_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyServer]:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    server = KeyServer()
    with listening(server.get, context) as port:
        server.url = f"https://127.0.0.1:{port}"
        yield server


@pytest.fixture
async def by_url(hospital: Hospital, key_server: KeyServer) -> AsyncIterator[str]:
    """A client whose keys are on the server."""
    answer = await add(
        hospital, await hospital.administrator(), await hospital.ward(), jwks_url=f"{key_server.url}/keys"
    )
    assert answer.status_code == 201, answer.text
    yield answer.json()["id"]


async def test_keys_are_found_under_the_url_and_new_ones_soon(
    hospital: Hospital, by_url: str, key_server: KeyServer
) -> None:
    key_server.answer = json.dumps({"keys": [JWKS["keys"][0], {"kty": "oct", "k": "eA", "kid": "o"}]}).encode()
    for _ in range(3):
        assert (await sign_in(hospital.client, signed(claims_of(by_url)))).status_code == 200
    assert key_server.asked == 1
    key_server.answer = json.dumps(JWKS).encode()
    for _ in range(3):  # an unknown key is not asked for again at once, however often somebody tries
        assert (await sign_in(hospital.client, signed(claims_of(by_url), "ES384", "e"))).status_code == 401
    assert key_server.asked == 1
    with later(seconds=61):
        assert (await sign_in(hospital.client, signed(claims_of(by_url), "ES384", "e"))).status_code == 200
    assert key_server.asked == 2
    key_server.answer = json.dumps({"keys": []}).encode()
    with later(minutes=7):
        assert (await sign_in(hospital.client, signed(claims_of(by_url)))).status_code == 401


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b"no JSON"),
        (200, b"[]"),
        (200, b"x" * 100_000),
        (200, gzip.compress(json.dumps(JWKS).encode())),
        (500, b"{}"),
        (302, b"{}"),
        (404, b""),
    ],
    ids=["text", "list", "long", "packed", "fault", "redirect", "nothing"],
)
async def test_a_server_of_keys_that_fails_is_a_refusal(
    hospital: Hospital, by_url: str, key_server: KeyServer, status: int, answer: bytes
) -> None:
    key_server.status, key_server.answer = status, answer
    assert (await sign_in(hospital.client, signed(claims_of(by_url)))).status_code == 401
    assert key_server.asked == 1  # a redirect is not followed


async def test_a_server_that_nobody_vouches_for_is_not_believed(
    hospital: Hospital, by_url: str, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    key_server.answer = json.dumps(JWKS).encode()
    assert (await sign_in(hospital.client, signed(claims_of(by_url)))).status_code == 401
    assert key_server.asked == 0


async def test_only_an_administrator_registers_a_url_and_only_https(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    lead, admin = await hospital.lead(ward_id), await hospital.administrator()
    assert (await add(hospital, lead, ward_id, jwks_url="https://records.test/keys")).status_code == 403
    assert (await add(hospital, lead, ward_id, jwks=JWKS)).status_code == 201
    for url in ("http://records.test/keys", "file:///etc/passwd", "https://", "https://a@records.test", "x"):
        assert (await add(hospital, admin, ward_id, jwks_url=url)).status_code == 422, url


async def test_a_slow_server_of_keys_holds_up_its_own_client_alone(key_server: KeyServer) -> None:
    by_url = KeysByUrl(Destinations((ip_network("127.0.0.0/8"),)))
    key_server.answer = json.dumps(JWKS).encode()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and says nothing
        waiting = asyncio.create_task(by_url.find(f"https://127.0.0.1:{silent.getsockname()[1]}/keys", "r"))
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            assert await by_url.find(f"{key_server.url}/keys", "r") is not None
            assert not waiting.done()
        assert await waiting is None


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
async def test_a_url_on_an_address_that_is_not_reached_is_refused_where_it_can_be_seen(
    hospital: Hospital, client_id: str
) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    for host in ("10.0.0.7", "10.0.0.7.", "%31%30.0.0.7", "[::1]", "[fd00::1]", "169.254.169.254", "0x0a000007"):
        url = {"jwks_url": f"https://{host}/keys"}
        changed = await hospital.client.patch(f"/v1/clients/{client_id}", headers=admin, json=url)
        for answer in (await add(hospital, admin, ward_id, **url), changed):
            refused = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
            assert (answer.status_code, refused) == (422, [("/jwks_url", "address_refused")]), host
            listable = "WARDWATCH_ALLOWED_NETWORKS" in answer.json()["errors"][0]["message"]
            assert listable == (host != "169.254.169.254"), host
    for host in ("①②⑦.0.0.1", "8.8.8.8/\r\nX: y", "8.8.8.8:x"):
        answer = await add(hospital, admin, ward_id, jwks_url=f"https://{host}/keys")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/jwks_url"), host
    assert (await hospital.client.get(f"/v1/clients/{client_id}", headers=admin)).json()["jwks_url"] is None


@SQLITE
async def test_a_name_that_means_this_machine_is_not_asked_for_keys(
    hospital: Hospital,
    by_url: str,
    key_server: KeyServer,
    settings: Settings,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin, port = await hospital.administrator(), key_server.url.rpartition(":")[2]
    url = {"jwks_url": f"https://keys.records.test:{port}/keys"}
    assert (await hospital.client.patch(f"/v1/clients/{by_url}", headers=admin, json=url)).status_code == 200
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here])
    key_server.answer = json.dumps(JWKS).encode()
    # Listed, it is reached, as its certificate then shows (it is not that name's); not listed, it is not even asked.
    for allowed, told in (("127.0.0.0/8", "client_keys_unavailable"), ("", "client_keys_refused")):
        async with replica(dataclasses.replace(settings, allowed_networks=allowed), clock) as client:
            with capture_logs() as lines:
                assert (await sign_in(client, signed(claims_of(by_url)))).status_code == 401
        (line,) = [each for each in lines if each["event"].startswith("client_keys")]
        assert (line["event"], line.get("reason")) == (told, None if allowed else "loopback")
        assert "records" not in str(lines)
    assert key_server.asked == 0


async def test_the_audience_is_the_public_url(
    hospital: Hospital, client_id: str, settings: Settings, clock: SettableClock
) -> None:
    async with replica(dataclasses.replace(settings, public_url="https://ward.example/"), clock) as client:
        assert (await sign_in(client, signed(claims_of(client_id)))).status_code == 401
        right = claims_of(client_id, aud="https://ward.example/oauth/token")
        assert (await sign_in(client, signed(right))).status_code == 200
