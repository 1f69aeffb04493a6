"""A patient on whom every table that can hold something does, through the real service."""

from dataclasses import dataclass, field
from typing import Any

from service.access.incidents import note_lost
from service.clock import real_now
from service.fields import utc_text
from service.storage.session import writing
from tests.access.at_home import bearer, bring
from tests.access.hospital import Headers, Hospital
from tests.support.wards import rows_of

FAMILY, GIVEN, NUMBER, MRN = "Sentinelsson", "Zebedina", "9990000018", "MRN-SENTINEL-4"
PHONE, LANGUAGE, BIRTH_DATE = "07700 900 471", "cy-GB-oxendict", "1949-03-17"
CARER, KIN = "Carasentinel Example", "grandsentinel"
WRITTEN = (
    "note-sentinel", "patient-text-sentinel", "reason-sentinel", "better-sentinel",
    "error-sentinel", "phone-sentinel", "SN-SENTINEL", "model-sentinel", "snooze-sentinel",
)  # fmt: skip
"""What people and devices wrote about the patient."""
IDENTITY = (FAMILY, GIVEN, NUMBER, MRN, PHONE, LANGUAGE, BIRTH_DATE, CARER, KIN)


@dataclass
class Record:
    """Where the patient is, and who looks after the ward."""

    hospital: Hospital
    ward_id: str
    patient_id: str
    stay_id: str
    team: Headers
    tokens: list[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/v1/patients/{self.patient_id}"

    async def call(self, method: str, path: str, *, header: Headers | None = None, **body: Any) -> Any:
        """The answer's JSON; anything but success fails."""
        more = {"json": body} if body else {}
        answer = await self.hospital.client.request(method, path, headers=header or self.team, **more)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else None

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table."""
        return [dict(row._mapping) for row in await rows_of(self.hospital.app.state.database, table)]

    async def settle(self) -> None:
        """Everything noted is written, and everything due is done."""
        await self.hospital.app.state.trail.write(self.hospital.app.state.database)
        await self.hospital.app.state.timekeeper.catch_up()


async def full_record(hospital: Hospital) -> Record:
    """The patient, after a stay with everything in it."""
    ward_id, elsewhere = await hospital.ward(), await hospital.ward("Elsewhere")
    team = await hospital.clinician(ward_id)
    await _mails(hospital, ward_id)
    numbers = [{"system": "nhs_number", "value": NUMBER}, {"system": "mrn", "value": MRN}]
    plan = {"treatment_escalation": "limited", "patient_text": "patient-text-sentinel",
            "prescribed_oxygen_flow": 0, "reason": "reason-sentinel", "reading_times": ["09:00"]}  # fmt: skip
    stay = await hospital.stay(
        team, ward_id, plan, identifiers=numbers, family_name=FAMILY, given_name=GIVEN, birth_date=BIRTH_DATE,
        phone=PHONE, language=LANGUAGE,
    )  # fmt: skip
    record = Record(hospital, ward_id, stay["patient_id"], stay["id"], team)
    await _home(record)
    await _readings(record)
    await _moves(record, elsewhere)
    await record.settle()
    return record


async def _mails(hospital: Hospital, ward_id: str) -> None:
    steps = [{"after_minutes": 0, "notify": "on_duty", "channel": "email"}]
    body = {"steps": steps, "version": 1}
    path = f"/v1/wards/{ward_id}/escalation-policy"
    answer = await hospital.client.put(path, headers=await hospital.lead(ward_id), json=body)
    assert answer.status_code == 200, answer.text


async def _home(record: Record) -> None:
    """Two apps, one of them a carer's, whose tokens are lost; and a code nobody has used."""
    path = f"/v1/stays/{record.stay_id}/pairing-codes"
    for asked in ({}, {"carer": {"name": CARER, "relationship": KIN}}):
        code = (await record.hospital.client.post(path, headers=record.team, json=asked)).json()["code"]
        answer = await bring(record.hospital.client, code, BIRTH_DATE)
        assert answer.status_code == 200, answer.text
        record.tokens.append(answer.json())
    (pairing,) = [row for row in await record.rows("pairing") if row["kind"] == "carer"]
    async with writing(record.hospital.app.state.database) as session:
        bound = {"ward_id": record.ward_id, "stay_id": record.stay_id, "pairing_id": pairing["id"]}
        await note_lost(session, bound, "token_reused", real_now())
    await record.hospital.client.post(path, headers=record.team, json={})


async def _readings(record: Record) -> None:
    at, app = record.hospital.app.state.clock.now(), bearer(record.tokens[0])
    device = {"id": "SN-SENTINEL", "model": "model-sentinel"}
    body = {"observed_at": utc_text(at), "client_reading_id": "phone-sentinel", "device": device, "breathlessness": 1}
    kept = await record.call("POST", "/v1/readings", header=app, spo2=90, **body)
    alert = f"/v1/alerts/{kept['alerts'][0]['alert_id']}"
    await record.call("GET", alert)
    await record.settle()  # the first step of the policy is taken
    version = (await record.call("GET", alert))["version"]
    await record.call("POST", f"{alert}/acknowledge", note="note-sentinel", version=version)
    await record.call("POST", f"{alert}/escalate", reason="snooze-sentinel", version=version + 1)
    wrong = {"stay_id": record.stay_id, "observed_at": utc_text(at), "spo2": 300}
    assert (await record.hospital.client.post("/v1/readings", headers=record.team, json=wrong)).status_code == 422
    second = {"stay_id": record.stay_id, "observed_at": utc_text(at), "pulse_rate": 70}
    error = await record.call("POST", "/v1/readings", **second)
    await record.call("POST", f"/v1/readings/{error['reading_id']}/entered-in-error", reason="error-sentinel")


async def _moves(record: Record, elsewhere: str) -> None:
    path = f"/v1/stays/{record.stay_id}"

    async def changed(verb: str, **body: Any) -> Any:
        version = (await record.call("GET", path))["version"]
        return await record.call("POST", f"{path}/{verb}", version=version, **body)

    offered = await changed("transfer", ward_id=elsewhere)
    await record.call("POST", f"/v1/transfers/{offered['transfer']['id']}/decline")
    alerts = (await record.call("GET", path))["open_alerts"]
    outcomes = {each["id"]: "treated_at_home" for each in alerts if each["severity"] in ("high", "critical")}
    await changed("discharge", reason="better-sentinel", outcomes=outcomes)
