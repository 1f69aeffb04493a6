"""Tokens of issuers elsewhere: how they are checked against a real issuer, and how its keys are had."""

import asyncio
import base64
import dataclasses
import hmac
import json
from typing import Any

import httpx
import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from service.clock import real_now
from service.errors import NotAuthenticated
from service.settings import Settings
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.issuer import AUDIENCE, Issuer, configured
from tests.support.time import SettableClock, later
from tests.support.web import part


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    return configured(settings, issuer)


async def me(hospital: Hospital, token: str) -> httpx.Response:
    return await hospital.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


async def nurse(hospital: Hospital, issuer: Issuer, **claims: Any) -> str:
    """A good token of a clinician on a new ward."""
    return issuer.token(roles=["nurse"], wards=[await hospital.ward()], **claims)


async def test_a_token_of_the_issuer_is_as_good_as_one_of_ours(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward("Respiratory")
    answer = await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["principal"]["kind"], found["principal"]["name"]) == ("staff", "Sam Elsewhere")
    assert found["wards"] == [{"id": ward_id, "name": "Respiratory", "role": "clinician"}]
    assert "alerts:act" in found["scopes"]


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.test"}, {"iss": None}, {"iss": ["x"]}, {"aud": "another"}, {"aud": None},
        {"aud": ["another"]}, {"aud": {"wardwatch-api": 1}}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
        {"sub": "a\u0000b"}, {"exp": None}, {"exp": "later"}, {"exp": True}, {"exp": 1e300}, {"iat": None},
        {"iat": "now"}, {"iat": -1}, {"nbf": "now"}, {"cnf": {"jkt": "x"}},
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_with_a_wrong_or_missing_claim_is_refused(
    hospital: Hospital, issuer: Issuer, change: dict[str, Any]
) -> None:
    ward_id = await hospital.ward()
    subject = {"subject": change["sub"]} if "sub" in change else {}
    claims = {name: value for name, value in change.items() if name != "sub"}
    answer = await me(hospital, issuer.token(**subject, roles=["nurse"], wards=[ward_id], **claims))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_one_audience_of_several_will_do(hospital: Hospital, issuer: Issuer) -> None:
    assert (await me(hospital, await nurse(hospital, issuer, aud=["account", AUDIENCE]))).status_code == 200


@pytest.mark.parametrize(
    ("name", "seconds", "status"),
    [("exp", -29, 200), ("exp", -31, 401), ("iat", 29, 200), ("iat", 31, 401), ("nbf", 29, 200), ("nbf", 31, 401)],
)
async def test_clocks_may_differ_by_thirty_seconds(
    hospital: Hospital, issuer: Issuer, name: str, seconds: int, status: int
) -> None:
    with time_machine.travel(real_now().replace(microsecond=0), tick=False):
        now = int(real_now().timestamp())
        claims = {"iat": now - 60, name: now + seconds}
        assert (await me(hospital, await nurse(hospital, issuer, **claims))).status_code == status


async def test_a_token_that_is_good_for_days_is_refused(hospital: Hospital, issuer: Issuer) -> None:
    now = int(real_now().timestamp())
    assert (await me(hospital, await nurse(hospital, issuer, exp=now + 24 * 3600))).status_code == 200
    assert (await me(hospital, await nurse(hospital, issuer, exp=now + 24 * 3600 + 9))).status_code == 401


async def test_an_unsigned_token_is_refused(hospital: Hospital, issuer: Issuer) -> None:
    claims = issuer.claims(roles=["nurse"], wards=[await hospital.ward()])
    for algorithm in ("none", "None", "NONE", ""):
        for signature in ("", "x"):
            header = part({"alg": algorithm, "kid": "one", "typ": "at+jwt"})
            assert (await me(hospital, f"{header}.{part(claims)}.{signature}")).status_code == 401


async def test_the_issuers_public_key_is_no_password(hospital: Hospital, issuer: Issuer) -> None:
    """The old trick: sign with HS256, the key being the text of the public key."""
    claims = issuer.claims(roles=["nurse"], wards=[await hospital.ward()])
    signed = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'at+jwt'})}.{part(claims)}"
    for secret in (issuer.signing.as_pem(private=False), json.dumps(issuer.keys["one"]).encode()):
        signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).decode().rstrip("=")
        assert (await me(hospital, f"{signed}.{signature}")).status_code == 401


async def test_another_key_is_refused_though_it_has_the_same_id_or_comes_in_the_token(
    hospital: Hospital, issuer: Issuer
) -> None:
    claims = issuer.claims(roles=["nurse"], wards=[await hospital.ward()])
    mine = ECKey.generate_key("P-256")
    for more in ({}, {"jwk": mine.as_dict(private=False)}, {"kid": "two"}, {"kid": None}):
        header = {"alg": "ES256", "kid": "one", "typ": "at+jwt", **more}
        token = jwt.encode({k: v for k, v in header.items() if v is not None}, claims, mine, algorithms=["ES256"])
        assert (await me(hospital, token)).status_code == 401


async def test_our_own_name_with_the_issuers_key_and_the_other_way_round_are_refused(
    hospital: Hospital, issuer: Issuer
) -> None:
    assert (await me(hospital, await nurse(hospital, issuer, iss="wardwatch"))).status_code == 401
    ours = hospital.app.state.tokens.keys
    header = {"alg": "ES256", "kid": "one", "typ": "at+jwt"}
    claims = issuer.claims(roles=["nurse"], wards=[await hospital.ward()])
    assert (await me(hospital, jwt.encode(header, claims, await ours.get(), algorithms=["ES256"]))).status_code == 401


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt"])
async def test_other_things_the_issuer_signs_are_no_access_tokens(
    hospital: Hospital, issuer: Issuer, kind: Any
) -> None:
    assert (await me(hospital, await nurse(hospital, issuer, header={"typ": kind}))).status_code == 401


async def test_a_key_signs_with_what_it_says_and_is_allowed(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    issuer.signing = RSAKey.generate_key(2048)
    for algorithm, status in (("RS256", 200), ("PS256", 401), ("RS512", 401)):
        with later(seconds=30 * len(issuer.asked)):
            issuer.keys.clear()
            issuer.show(f"rsa {algorithm}", issuer.signing)
            token = issuer.token(f"of {algorithm}", header={"alg": algorithm}, roles=["nurse"], wards=[ward_id])
            assert (await me(hospital, token)).status_code == status, algorithm


@pytest.mark.parametrize("more", [{"use": "enc"}, {"alg": "ES384"}, {"kty": "oct"}, {"x": "!"}, {"crv": "P-999"}])
async def test_a_key_that_is_for_something_else_checks_nothing(
    hospital: Hospital, issuer: Issuer, more: dict[str, Any]
) -> None:
    good = dict(issuer.keys["one"])
    issuer.keys = {"spare": {**good, "kid": "spare"}, "one": {**good, **more}}
    token = await nurse(hospital, Shown(issuer, "one"))  # type: ignore[arg-type]
    assert (await me(hospital, token)).status_code == 401


@dataclasses.dataclass
class Shown:
    """The issuer, signing under one of several ids."""

    issuer: Issuer
    key_id: str

    def token(self, **claims: Any) -> str:
        header = {"alg": "ES256", "kid": self.key_id, "typ": "at+jwt"}
        return jwt.encode(header, self.issuer.claims(**claims), self.issuer.signing, algorithms=["ES256"])


# The keys -----------------------------------------------------------------------------------------------------------


async def test_keys_are_fetched_once_for_many_tokens_at_once(hospital: Hospital, issuer: Issuer) -> None:
    ward_id = await hospital.ward()
    tokens = [issuer.token(f"nurse {n}", roles=["nurse"], wards=[ward_id]) for n in range(8)]
    answers = await asyncio.gather(*(me(hospital, token) for token in tokens))
    assert {answer.status_code for answer in answers} == {200}
    assert [path.rpartition("/")[2] for path in issuer.asked] == ["openid-configuration", "keys"]


async def test_a_new_key_is_found_when_a_token_names_it_and_the_old_one_ends(
    hospital: Hospital, issuer: Issuer
) -> None:
    old = await nurse(hospital, issuer)
    assert (await me(hospital, old)).status_code == 200
    with later(seconds=20):
        issuer.rotate("two")
        assert (await me(hospital, await nurse(hospital, issuer))).status_code == 200
        with later(seconds=61):  # until then it is remembered
            assert (await me(hospital, old)).status_code == 401


async def test_unknown_keys_are_not_asked_for_again_and_again(hospital: Hospital, issuer: Issuer) -> None:
    assert (await me(hospital, await nurse(hospital, issuer))).status_code == 200
    asked = len(issuer.asked)
    for number in range(20):
        token = await nurse(hospital, issuer, header={"kid": f"made up {number}"})
        assert (await me(hospital, token)).status_code == 401
    assert len(issuer.asked) == asked


async def test_the_keys_of_before_are_used_through_an_outage_of_a_day_and_no_longer(
    hospital: Hospital, issuer: Issuer
) -> None:
    ward_id = await hospital.ward()
    assert (await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))).status_code == 200
    issuer.down = True
    with later(hours=23):
        assert (await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))).status_code == 200
        asked = len(issuer.asked)
        assert (await me(hospital, issuer.token("another", roles=["nurse"], wards=[ward_id]))).status_code == 200
        assert len(issuer.asked) == asked, "each token must not wait for an issuer that is away"
        unknown = await me(hospital, issuer.token(header={"kid": "new"}, roles=["nurse"], wards=[ward_id]))
        assert (unknown.status_code, unknown.json()["code"]) == (503, "issuer_unavailable")
    with later(hours=25):
        answer = await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))
        assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        issuer.down = False
        with later(seconds=16):
            assert (await me(hospital, issuer.token(roles=["nurse"], wards=[ward_id]))).status_code == 200


async def test_keys_are_renewed_before_anybody_waits_for_them(hospital: Hospital, issuer: Issuer) -> None:
    outside = hospital.app.state.tokens.outside
    await outside._keep_fresh()
    assert len(issuer.asked) == 2
    await outside._keep_fresh()
    assert len(issuer.asked) == 2
    with later(minutes=6):
        await outside._keep_fresh()
        assert len(issuer.asked) == 4
        assert (await me(hospital, await nurse(hospital, issuer))).status_code == 200
        assert len(issuer.asked) == 4


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://elsewhere.test"}, {"jwks_uri": None}, {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://keys.elsewhere.test/keys"}, {"jwks_uri": ["x"]},
    ],
    ids=str,
)  # fmt: skip
async def test_a_discovery_document_of_somebody_else_is_not_believed(
    hospital: Hospital, issuer: Issuer, discovery: dict[str, Any]
) -> None:
    issuer.discovery = discovery
    assert (await me(hospital, await nurse(hospital, issuer))).status_code == 503
    assert len(issuer.asked) == 1


async def test_without_issuers_no_token_from_elsewhere_is_looked_at(
    hospital: Hospital, settings: Settings, clock: SettableClock, issuer: Issuer
) -> None:
    token = await nurse(hospital, issuer)
    async with started(dataclasses.replace(settings, oidc_issuers=""), clock) as app:
        with pytest.raises(NotAuthenticated):
            await app.state.tokens.principal_of(token)
    assert issuer.asked == []
