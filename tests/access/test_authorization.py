"""People sign in for dashboards of others: the page, the code, and what the tokens reach."""

import asyncio
import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from sqlalchemy import select

from service.access import accounts
from service.access.authorization import back_to, redirect_problem
from service.clock import real_now
from service.fields import new_id
from service.settings import Settings
from service.storage.session import reading, writing
from service.storage.tables import METADATA, AuditRow
from tests.access.hospital import Hospital
from tests.support.time import later

BACK = "https://dashboard.example/back?from=wardwatch"
PASSWORD = "correct horse battery"
ISSUER = Settings().public_url
NOBODY = "01890000-0000-7000-8000-000000000000"
BROWSER = {"Sec-Fetch-Site": "same-origin"}


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass
class Dashboard:
    """A dashboard of others, with its client, and a clinician who uses it."""

    hospital: Hospital
    ward_id: str
    client_id: str
    secret: str | None
    email: str
    staff_id: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def asked(self, **more: str | None) -> dict[str, str]:
        """What it asks for; what is None is left out."""
        found = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK, "state": "a b&c=1",
            "code_challenge": challenge_of(self.verifier), "code_challenge_method": "S256", **more,
        }  # fmt: skip
        return {name: text for name, text in found.items() if text is not None}

    async def page(self, **more: str | None) -> httpx.Response:
        return await self.hospital.client.get("/oauth/authorize", params=self.asked(**more))

    async def sign_in(self, password: str = PASSWORD, answer: str = "allow", **more: str | None) -> httpx.Response:
        """What the person's browser sends."""
        form = {**self.asked(**more), "username": self.email, "password": password, "answer": answer}
        return await self.hospital.client.post("/oauth/authorize", data=form, headers=BROWSER)

    async def code(self, **more: str | None) -> str:
        answer = await self.sign_in(**more)
        assert answer.status_code == 303, answer.text
        return back(answer)["code"]

    async def exchange(self, code: str, **more: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": self.client_id,
            "code_verifier": self.verifier, "client_secret": self.secret, **more,
        }  # fmt: skip
        return await self.hospital.client.post("/oauth/token", data={k: v for k, v in form.items() if v is not None})

    async def tokens(self, **more: str | None) -> Any:
        answer = await self.exchange(await self.code(**more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refresh(self, tokens: Any, **more: str | None) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": self.client_id}
        form |= {"client_secret": self.secret} if self.secret else {}
        return await self.hospital.client.post(
            "/oauth/token", data={k: v for k, v in {**form, **more}.items() if v is not None}
        )

    async def get(self, path: str, tokens: Any) -> httpx.Response:
        header = {"Authorization": f"Bearer {tokens['access_token']}"}
        return await self.hospital.client.get(f"/v1{path}", headers=header)


def back(answer: httpx.Response) -> dict[str, str]:
    """The fields that the dashboard is told, at its own address."""
    url = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(url.query).items()}


async def dashboard(hospital: Hospital, *, public: bool = True, **more: Any) -> Dashboard:
    ward_id, email = await hospital.ward(), f"{new_id()}@ward.test"
    body = {
        "name": "Board <b>", "scopes": ["alerts:read", "readings:read", "patients:read", "wards:read"],
        "ward_ids": [ward_id], "redirect_uris": [BACK], "public": public, **more,
    }  # fmt: skip
    made = await hospital.client.post("/v1/clients", headers=await hospital.administrator(), json=body)
    assert made.status_code == 201, made.text
    password_hash = await hospital.app.state.desk.passwords.hash(PASSWORD)
    async with writing(hospital.app.state.database) as session:
        staff_id = await accounts.add_staff(
            session, email=email, name="Sam", password_hash=password_hash,
            roles={ward_id: "clinician", await hospital.ward("Other"): "lead"}, administrator=True, at=real_now(),
        )  # fmt: skip
    assert (made.json()["client_secret"] is None) is public
    return Dashboard(hospital, ward_id, made.json()["id"], made.json()["client_secret"], email, staff_id)


# The whole way ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("public", [True, False])
async def test_a_person_signs_in_on_our_page_and_the_dashboard_gets_tokens(hospital: Hospital, public: bool) -> None:
    board = await dashboard(hospital, public=public)
    page = await board.page()
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    answer = await board.sign_in(nonce="n-1")
    told = back(answer)
    assert answer.status_code == 303
    assert (told["state"], told["iss"], told["from"]) == ("a b&c=1", ISSUER, "wardwatch")
    got = await board.exchange(told["code"])
    assert (got.status_code, got.headers["cache-control"]) == (200, "no-store")
    tokens = got.json()
    assert tokens["scope"] == "alerts:read patients:read readings:read wards:read"
    me = (await board.get("/me", tokens)).json()
    assert (me["principal"]["id"], [each["id"] for each in me["wards"]]) == (board.staff_id, [board.ward_id])
    following = await board.refresh(tokens)
    assert following.status_code == 200
    assert (await board.get(f"/wards/{board.ward_id}", following.json())).status_code == 200


async def test_the_tokens_reach_no_further_than_both_the_person_and_the_client_do(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    tokens = await board.tokens()
    for path in ("/clients", "/staff"):
        assert (await board.get(path, tokens)).status_code == 403
    (mine,) = (await board.get("/wards", tokens)).json()["items"]
    assert mine["id"] == board.ward_id
    fewer = await board.tokens(scope="alerts:read")
    assert fewer["scope"] == "alerts:read"
    assert (await board.get(f"/wards/{board.ward_id}/stays", fewer)).status_code == 403
    assert (await board.refresh(fewer, scope="alerts:read patients:read")).json()["error"] == "invalid_scope"


async def test_a_client_that_is_ended_takes_its_sign_ins_with_it(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    tokens = await board.tokens()
    assert (await board.get("/me", tokens)).status_code == 200
    admin = await hospital.administrator()
    path = f"/v1/clients/{board.client_id}"
    assert (await hospital.client.patch(path, headers=admin, json={"active": False})).status_code == 200
    assert (await board.get("/me", tokens)).status_code == 401
    assert (await board.refresh(tokens)).status_code == 401
    assert (await board.page()).status_code == 400


async def test_the_sign_in_is_in_the_trail_with_the_client(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    await board.tokens()
    async with reading(hospital.app.state.database) as session:
        found = await session.scalars(select(AuditRow).where(AuditRow.action == "sign_in"))
        assert [each.detail["client"] for each in found if each.actor_id == board.staff_id] == [board.client_id]


async def test_the_service_says_how_tokens_are_got(hospital: Hospital) -> None:
    found = (await hospital.client.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == ISSUER
    assert found["authorization_endpoint"] == f"{ISSUER}/oauth/authorize"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    grants = {"authorization_code", "client_credentials", "password", "refresh_token", "urn:wardwatch:pairing"}
    assert set(found["grant_types_supported"]) == grants


# The page -----------------------------------------------------------------------------------------------------------


async def test_the_page_loads_nothing_runs_nothing_and_is_shown_in_no_frame(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    page = await board.page()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://dashboard.example;" in policy
    assert (page.headers["x-frame-options"], page.headers["referrer-policy"]) == ("DENY", "no-referrer")
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text
    assert not re.search(r"\son\w+=", page.text)
    assert not re.search(r"(src|href)=", page.text)


async def test_the_page_can_be_used_with_a_screen_reader(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    wrong = (await board.sign_in(password="not the one at all")).text
    assert '<html lang="en">' in wrong
    assert wrong.count("<h1>") == 1
    assert "<title>Error: Sign in for" in wrong
    assert 'role="alert"' in wrong
    for name in re.findall(r'<input id="(\w+)"', wrong):
        assert f'<label for="{name}">' in wrong
    assert 'autocomplete="username"' in wrong
    assert 'autocomplete="current-password"' in wrong


async def test_what_others_wrote_is_text_on_the_page(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    page = await board.page(state='"><b>state', nonce="<i>")
    assert "Board &lt;b&gt;" in page.text
    assert "<b>state" not in page.text
    assert "<i>" not in page.text
    assert html.escape('"><b>state') in page.text


async def test_a_wrong_password_shows_the_page_again_and_the_password_nowhere(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    answer = await board.sign_in(password="sentinel pass word")
    assert (answer.status_code, "sentinel" in answer.text) == (400, False)
    assert board.email in answer.text
    with time_machine.travel(real_now(), tick=False):  # the wait is short, and a machine may be slow
        for _ in range(5):
            await board.sign_in(password="sentinel pass word")
        slow = await board.sign_in()
    assert (slow.status_code, int(slow.headers["retry-after"]) > 0) == (429, True)


async def test_a_form_that_another_page_sends_is_refused(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    form = {**board.asked(), "username": board.email, "password": PASSWORD, "answer": "allow"}
    for headers in (
        {}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site", "Origin": ISSUER},
    ):  # fmt: skip
        answer = await hospital.client.post("/oauth/authorize", data=form, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), headers
    old = await hospital.client.post("/oauth/authorize", data=form, headers={"Origin": ISSUER})
    assert old.status_code == 303


async def test_whoever_cancels_sends_the_dashboard_away(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    told = back(await board.sign_in(password="", answer="deny"))
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "a b&c=1", ISSUER)


async def test_whoever_has_no_ward_in_common_with_the_client_gives_nothing(hospital: Hospital) -> None:
    board = await dashboard(hospital, ward_ids=[await hospital.ward("Theirs")])
    assert back(await board.sign_in())["error"] == "access_denied"


# What dashboards may ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": None}, {"redirect_uri": BACK + "&x=1"}, {"redirect_uri": BACK.upper()},
        {"redirect_uri": "https://dashboard.example/back"}, {"redirect_uri": BACK + "/../evil"},
        {"redirect_uri": "https://dashboard.example.evil.example/back?from=wardwatch"},
        {"redirect_uri": "javascript:alert(1)"}, {"client_id": None}, {"client_id": "x"}, {"client_id": NOBODY},
    ],
    ids=str,
)  # fmt: skip
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    hospital: Hospital, change: dict[str, str | None]
) -> None:
    board = await dashboard(hospital)
    for answer in (await board.page(**change), await board.sign_in(**change)):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "Sign-in not possible" in answer.text
        assert "form-action 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "alerts:read system:admin"}, "invalid_scope"),
        ({"scope": "alerts:act"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"nonce": "n" * 201}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=str,
)
async def test_what_cannot_be_answered_is_told_to_the_dashboard(
    hospital: Hospital, change: dict[str, str | None], error: str
) -> None:
    board = await dashboard(hospital)
    answer = await board.page(**change)
    told = back(answer)
    assert (answer.status_code, told["error"], told["state"], told["iss"]) == (303, error, "a b&c=1", ISSUER)
    assert back(await board.sign_in(**change))["error"] == error


async def test_a_field_given_twice_or_a_state_that_is_no_text_is_refused(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    pairs = [*board.asked().items(), ("redirect_uri", "https://evil.example")]
    assert (await hospital.client.get("/oauth/authorize", params=pairs)).status_code == 400
    told = back(await board.page(state="a\r\nSet-Cookie: x"))
    assert (told["error"], "state" in told) == ("invalid_request", False)


async def test_what_the_library_knows_and_the_service_does_not_is_refused(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    for change, error in (
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"code_challenge": "c" * 44}, "invalid_request"), ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"response_type": None, "response_mode": "fragment"}, "invalid_request"),
    ):  # fmt: skip
        assert back(await board.page(**change))["error"] == error, change
    assert back(await board.page(scope="alerts:act", scopes="alerts:read"))["error"] == "invalid_scope"
    for state in ("é", "s" * 2001):
        assert "state" not in back(await board.page(state=state, code_challenge=None))
    assert (await board.page(scope="", state="", scopes="x", client="x")).status_code == 200


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://a.example/cb", True), ("http://127.0.0.1:8123/cb", True), ("http://localhost/cb", True),
        ("http://a.example/cb", False), ("https://a.example/cb#x", False), ("https://u@a.example/cb", False),
        ("https://*.a.example/cb", False), ("javascript:alert(1)", False), ("https://", False),
        ("https://a.example/c b", False), ("https://a.example\\@evil.example", False), ("com.app:/cb", False),
        ("http://[::1]:8123/cb", True), ("https://a.example/{x}", False), ("https://a.example/cb\n", False),
        ("https://a.example/é", False), ("https://a.example/" + "c" * 500, False),
        ("https://a;sandbox/cb", False), ("https://a.example:99999/cb", False), ("https://[::1/cb", False),
        ("https://a.example/cb?code=1", False), ("https://a.example/cb?iss", False), ("https://a.example/cb?x=1", True),
    ],
)  # fmt: skip
def test_only_addresses_that_can_be_read_in_one_way_are_registered(uri: str, good: bool) -> None:
    assert (redirect_problem(uri) is None) is good


def test_an_address_gets_fields_more_and_stays_as_it_is_letter_by_letter() -> None:
    for address, joint in (("https://a.example/cb", "?"), ("https://a.example/?/cb&x=a/b%20c", "&")):
        assert back_to(address, ISSUER, error="x", state=None).startswith(f"{address}{joint}error=x&iss=")


async def test_a_public_client_needs_an_address_and_has_no_secret(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    body = {"name": "Board", "scopes": ["alerts:read"], "ward_ids": [ward_id], "public": True}
    assert (await hospital.client.post("/v1/clients", headers=admin, json=body)).status_code == 422
    wrong = await hospital.client.post(
        "/v1/clients", headers=admin, json={**body, "redirect_uris": ["http://x.example"]}
    )
    assert wrong.json()["errors"][0]["pointer"] == "/redirect_uris"
    made = (await hospital.client.post("/v1/clients", headers=admin, json={**body, "redirect_uris": [BACK]})).json()
    assert (made["public"], made["secrets"], made["redirect_uris"]) == (True, 0, [BACK])
    path = f"/v1/clients/{made['id']}"
    assert (await hospital.client.post(f"{path}/secrets", headers=admin)).status_code == 409
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": ""}
    assert (await hospital.client.post("/oauth/token", data=form)).status_code == 401


async def test_a_client_that_people_sign_in_for_gets_no_tokens_of_its_own(hospital: Hospital) -> None:
    board, admin = await dashboard(hospital, public=False), await hospital.administrator()
    form = {"grant_type": "client_credentials", "client_id": board.client_id, "client_secret": board.secret}
    refused = await hospital.client.post("/oauth/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    wrong = await hospital.client.post("/oauth/token", data={**form, "client_secret": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    path = f"/v1/clients/{board.client_id}"
    await hospital.client.patch(path, headers=admin, json={"redirect_uris": []})
    own = await hospital.client.post("/oauth/token", data=form)
    assert own.status_code == 200
    await hospital.client.patch(path, headers=admin, json={"redirect_uris": [BACK]})
    assert (await board.get("/me", own.json())).status_code == 401


async def test_a_dashboard_does_nothing_to_the_account_of_who_uses_it(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    tokens = await board.tokens()
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    passwords = {"current_password": PASSWORD, "new_password": "another horse battery"}
    for path, body in [
        ("/sign-out-everywhere", None),
        ("/password", passwords),
        ("/totp", {"current_password": PASSWORD}),
    ]:
        answer = await hospital.client.post(f"/v1/me{path}", headers=header, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
    assert (await board.get("/me", tokens)).status_code == 200


# The code -----------------------------------------------------------------------------------------------------------


async def test_a_code_used_twice_ends_what_it_opened(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    code = await board.code()
    tokens = (await board.exchange(code)).json()
    assert (await board.get("/me", tokens)).status_code == 200
    assert (await board.exchange(code)).json()["error"] == "invalid_grant"
    assert (await board.get("/me", tokens)).status_code == 401
    assert (await board.refresh(tokens)).status_code == 400
    async with reading(hospital.app.state.database) as session:
        assert len(list(await session.scalars(select(AuditRow).where(AuditRow.action == "code.reused")))) == 1


async def test_a_used_code_ends_what_it_opened_whatever_comes_with_it(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    for change in ({"code_verifier": None}, {"code_verifier": "x"}, {"redirect_uri": None}):
        code = await board.code()
        tokens = (await board.exchange(code)).json()
        assert (await board.exchange(code, **change)).json()["error"] == "invalid_grant"
        assert (await board.get("/me", tokens)).status_code == 401


async def test_a_verifier_that_can_be_guessed_opens_nothing(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    for verifier in ("short", "x" * 42, "x" * 129, "x" * 43 + "\n"):
        board.verifier = verifier
        assert (await board.exchange(await board.code())).json()["error"] == "invalid_grant"


async def test_of_two_at_once_with_one_code_none_keeps_tokens(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    code = await board.code()
    answers = await asyncio.gather(*(board.exchange(code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers)[1:] == [400, 400, 400]
    for answer in answers:
        if answer.status_code == 200:
            assert (await board.get("/me", answer.json())).status_code == 401


async def test_a_code_is_good_for_a_minute(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    code = await board.code()
    with later(seconds=61):
        assert (await board.exchange(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": None}, {"code_verifier": "x" * 43}, {"code_verifier": "é" * 43}, {"redirect_uri": None},
        {"redirect_uri": "https://dashboard.example/back"}, {"code": "x"}, {"code": None},
    ],
    ids=str,
)  # fmt: skip
async def test_a_code_is_nothing_without_its_verifier_and_address(
    hospital: Hospital, change: dict[str, str | None]
) -> None:
    board = await dashboard(hospital)
    form = {"code": await board.code(), **change}
    answer = await board.exchange(**form)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_for_the_client_that_asked(hospital: Hospital) -> None:
    board, other = await dashboard(hospital), await dashboard(hospital, public=False)
    code = await board.code()
    theirs = await board.exchange(code, client_id=other.client_id, client_secret=other.secret)
    assert theirs.json()["error"] == "invalid_grant"
    for secret in (None, "wrong"):
        answer = await other.exchange(await other.code(), client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await board.exchange(code)).status_code == 200


async def test_a_refresh_token_is_for_the_client_that_got_it(hospital: Hospital) -> None:
    board, other = await dashboard(hospital), await dashboard(hospital, public=False)
    mine, theirs = await board.tokens(), await other.tokens()
    for answer in (
        await board.refresh(mine, client_id=None), await board.refresh(mine, client_id=other.client_id),
        await other.refresh(theirs, client_secret=None), await other.refresh(theirs, client_id=board.client_id),
        await board.refresh(mine, client_id=other.client_id, client_secret=other.secret),
    ):  # fmt: skip
        assert answer.status_code in (400, 401)
    assert (await board.refresh(mine)).status_code == 200
    assert (await other.refresh(theirs)).status_code == 200


async def test_no_code_is_stored_or_logged(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    board = await dashboard(hospital)
    code = await board.code()
    await board.exchange(code, code_verifier="x" * 43)
    assert "oauthlib" in {record.name.partition(".")[0] for record in caplog.records}
    assert code not in caplog.text
    async with reading(hospital.app.state.database) as session:
        stored = str((await session.execute(select(METADATA.tables["authorization_code"]))).all())
    assert code not in stored
    assert board.verifier not in stored
