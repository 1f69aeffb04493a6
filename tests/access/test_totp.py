"""Authenticator apps: codes at sign-in, what becomes of used and wrong ones, and of a lost phone."""

import base64
import dataclasses
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from service.access import accounts
from service.access.rotation import rotate
from service.access.totp import SecondProofs, code_at, step_of
from service.clock import real_now
from service.fields import new_id
from service.storage.session import reading, writing
from service.storage.tables import METADATA, AuditRow
from tests.access.hospital import Headers, Hospital
from tests.access.test_authorization import back, dashboard
from tests.conftest import SECRET_KEY
from tests.support.time import later

PASSWORD = "correct horse battery"
NEW = "another secret key for the tests, as long"
# RFC 6238, appendix B, shortened to six digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@dataclasses.dataclass
class Nurse:
    """Somebody with a password, and with the secret of an authenticator app once it is set up."""

    hospital: Hospital
    ward_id: str
    id: str
    email: str
    header: Headers
    secret: bytes = b""

    def code(self, steps: int = 0) -> str:
        return code_at(self.secret, step_of(real_now()) + steps)

    async def post(self, path: str, **body: str) -> httpx.Response:
        return await self.hospital.client.post(f"/v1/me/totp{path}", headers=self.header, json=body)

    async def set_up(self) -> list[str]:
        begun = await self.post("", current_password=PASSWORD)
        assert begun.status_code == 201, begun.text
        self.secret = base64.b32decode(begun.json()["secret"])
        confirmed = await self.post("/confirm", code=self.code(-1))
        assert confirmed.status_code == 200, confirmed.text
        codes: list[str] = confirmed.json()["recovery_codes"]
        return codes

    async def sign_in(self, otp: str | None = None, password: str = PASSWORD) -> httpx.Response:
        form = {"grant_type": "password", "username": self.email, "password": password}
        return await self.hospital.client.post("/oauth/token", data=form | ({"otp": otp} if otp is not None else {}))


@pytest.fixture
async def nurse(hospital: Hospital) -> Nurse:
    ward_id, email = await hospital.ward(), f"{new_id()}@ward.test"
    password_hash = await hospital.app.state.desk.passwords.hash(PASSWORD)
    async with writing(hospital.app.state.database) as session:
        id_ = await accounts.add_staff(
            session, email=email, name="Sam", password_hash=password_hash, roles={ward_id: "clinician"},
            administrator=False, at=real_now(),
        )  # fmt: skip
    return Nurse(hospital, ward_id, id_, email, await hospital.token("staff", id_))


@pytest.mark.parametrize(("second", "code"), VECTORS)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert code_at(b"12345678901234567890", step_of(datetime.fromtimestamp(second, UTC))) == code


async def test_with_an_app_a_code_is_needed_as_well(nurse: Nurse) -> None:
    assert (await nurse.sign_in()).status_code == 200
    codes = await nurse.set_up()
    assert len(set(codes)) == 8
    answer = await nurse.sign_in()
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (400, "otp_required", "otp_required")
    assert (await nurse.sign_in(nurse.code())).status_code == 200


async def test_without_the_password_nobody_hears_whether_there_is_an_app(nurse: Nurse) -> None:
    await nurse.set_up()
    for otp in (None, nurse.code(), "000000"):
        assert (await nurse.sign_in(otp, password="wrong password")).json()["error"] == "invalid_grant"


async def test_nothing_is_asked_before_it_is_confirmed(nurse: Nurse) -> None:
    begun = await nurse.post("", current_password=PASSWORD)
    assert begun.headers["cache-control"] == "no-store"
    link = urlsplit(begun.json()["otpauth_uri"])
    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert parse_qs(link.query)["secret"] == [begun.json()["secret"]]
    assert (await nurse.sign_in()).status_code == 200
    nurse.secret = base64.b32decode(begun.json()["secret"])
    wrong = next(f"{n:06}" for n in range(9) if f"{n:06}" not in [nurse.code(step) for step in (-1, 0, 1)])
    assert (await nurse.post("/confirm", code=wrong)).json()["code"] == "otp_invalid"
    assert (await nurse.sign_in()).status_code == 200


@pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 200), (0, 200), (1, 200), (2, 400)])
async def test_the_phones_clock_may_be_one_step_off(nurse: Nurse, steps: int, status: int) -> None:
    await nurse.set_up()
    with later(minutes=5):
        assert (await nurse.sign_in(nurse.code(steps))).status_code == status


async def test_a_code_is_good_once_and_so_are_those_before_it(nurse: Nurse) -> None:
    await nurse.set_up()
    with later(minutes=5):
        assert (await nurse.sign_in(nurse.code())).status_code == 200
        for used in (nurse.code(), nurse.code(-1)):
            answer = await nurse.sign_in(used)
            assert (answer.status_code, answer.json()["error"]) == (400, "otp_invalid")
        assert (await nurse.sign_in(nurse.code(1))).status_code == 200


async def test_a_recovery_code_signs_in_once(nurse: Nurse) -> None:
    first, second, *_ = await nurse.set_up()
    assert (await nurse.sign_in(first)).status_code == 200
    assert (await nurse.sign_in(first)).json()["error"] == "otp_invalid"
    assert (await nurse.sign_in(second.lower().replace("-", " "))).status_code == 200


async def test_wrong_codes_are_counted_like_wrong_passwords(nurse: Nurse) -> None:
    await nurse.set_up()
    with later(minutes=5):
        wrong = next(f"{n:06}" for n in range(9) if f"{n:06}" not in [nurse.code(step) for step in (-1, 0, 1)])
        for _ in range(5):
            assert (await nurse.sign_in(wrong)).json()["error"] == "otp_invalid"
        slow = await nurse.sign_in(nurse.code())
        assert (slow.status_code, slow.json()["error"]) == (429, "slow_down")
    async with reading(nurse.hospital.app.state.database) as session:
        refused = (AuditRow.action == "sign_in", AuditRow.outcome == "refused")
        assert len((await session.execute(select(AuditRow.id).where(*refused))).all()) == 5


async def test_asking_what_is_needed_is_no_failure(nurse: Nurse) -> None:
    await nurse.set_up()
    for _ in range(7):
        assert (await nurse.sign_in()).json()["error"] == "otp_required"
    assert (await nurse.sign_in(nurse.code())).status_code == 200


async def test_one_takes_it_away_oneself_with_the_password(nurse: Nurse) -> None:
    assert (await nurse.post("/remove", current_password=PASSWORD)).status_code == 409
    await nurse.set_up()
    assert (await nurse.post("", current_password=PASSWORD)).status_code == 409
    assert (await nurse.post("/remove", current_password="wrong password")).json()["error"] == "invalid_grant"
    assert (await nurse.post("/remove", current_password=PASSWORD)).status_code == 204
    assert (await nurse.sign_in()).status_code == 200


async def test_whoever_manages_the_account_takes_it_away_and_ends_the_sessions(nurse: Nurse) -> None:
    await nurse.set_up()
    hospital, path = nurse.hospital, f"/v1/staff/{nurse.id}/totp"
    for other in (await hospital.clinician(nurse.ward_id), nurse.header):
        assert (await hospital.client.delete(path, headers=other)).status_code == 403
    elsewhere = await hospital.lead(await hospital.ward("Elsewhere"))
    assert (await hospital.client.delete(path, headers=elsewhere)).status_code == 404
    lead = await hospital.lead(nurse.ward_id)
    assert (await hospital.client.delete(path, headers=lead)).status_code == 204
    assert (await hospital.client.delete(path, headers=lead)).status_code == 409
    assert (await hospital.client.get("/v1/me", headers=nurse.header)).status_code == 401
    assert (await nurse.sign_in()).status_code == 200


async def test_a_new_password_takes_no_app_away(nurse: Nurse) -> None:
    await nurse.set_up()
    admin = await nurse.hospital.administrator()
    reset = await nurse.hospital.client.post(f"/v1/staff/{nurse.id}/password-reset", headers=admin)
    body = {"token": reset.json()["set_password_token"], "password": PASSWORD}
    assert (await nurse.hospital.client.post("/oauth/password", json=body)).status_code == 204
    assert (await nurse.sign_in()).json()["error"] == "otp_required"


async def test_neither_the_secret_nor_a_recovery_code_is_kept_as_it_is(nurse: Nurse) -> None:
    codes = await nurse.set_up()
    async with reading(nurse.hospital.app.state.database) as session:
        stored = str((await session.execute(select(METADATA.tables["staff_totp"]))).all())
    for text in (base64.b32encode(nurse.secret).decode(), nurse.secret.hex(), codes[0], codes[0].replace("-", "")):
        assert text not in stored


async def test_the_secret_is_written_anew_when_the_secret_key_changes(nurse: Nurse) -> None:
    await nurse.set_up()
    database = nurse.hospital.app.state.database
    async with writing(database) as session:
        await rotate(session, [NEW, SECRET_KEY], real_now())
    with later(minutes=5):
        async with writing(database) as session:
            assert await SecondProofs(NEW).use(session, nurse.id, nurse.code(), real_now())


async def test_the_sign_in_page_asks_for_the_code_too(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    sam = Nurse(hospital, board.ward_id, board.staff_id, board.email, await hospital.token("staff", board.staff_id))
    await sam.set_up()
    page = await board.sign_in()
    assert page.status_code == 400
    assert "a code is needed as well" in page.text
    assert '<input id="otp" name="otp"' in page.text
    assert "code" in back(await board.sign_in(otp=sam.code()))


async def test_a_dashboard_of_others_changes_neither_password_nor_app(hospital: Hospital) -> None:
    board = await dashboard(hospital)
    tokens = await board.tokens()
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    for path, body in (
        ("/v1/me/totp", {"current_password": PASSWORD}),
        ("/v1/me/password", {"current_password": PASSWORD, "new_password": PASSWORD}),
    ):
        answer = await hospital.client.post(path, headers=header, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
