"""A ward with one of everything that a path can name, and people at home."""

from dataclasses import dataclass, field
from typing import Any

from tests.access.at_home import BIRTH_DATE, Bedside, bearer
from tests.access.hospital import Headers, Hospital

Ids = dict[str, str]
"""Ids by their names in paths."""


@dataclass
class Furnished:
    """A ward with one of everything. `mark` stands in every text that is kept about it: `clinical` ones in what is
    known of its patients, `administrative` ones in what is known of the ward, its staff and its systems."""

    hospital: Hospital
    ids: Ids
    team: Headers
    mark: str
    known: set[str] = field(default_factory=set)
    """Ids of patients, stays and what belongs to them: nobody elsewhere ever sees one."""

    @property
    def clinical(self) -> str:
        return f"{self.mark}-patient"

    @property
    def administrative(self) -> str:
        return f"{self.mark}-ward"

    async def call(self, method: str, path: str, body: Any, *expected: int) -> dict[str, Any]:
        """The answer to somebody of the ward."""
        answer = await self.hospital.client.request(method, path, headers=self.team, json=body)
        assert answer.status_code in (expected or (200, 201, 202)), (method, path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    async def admit(self, **person: Any) -> dict[str, Any]:
        """A new patient's new stay."""
        names = {"family_name": self.clinical, "given_name": self.clinical, "birth_date": BIRTH_DATE}
        plan = {"baseline_spo2": 97, "patient_text": self.clinical, "reason": self.clinical}
        stay = await self.hospital.stay(self.team, self.ids["ward_id"], plan, **{**names, **person})
        self.known |= {stay["id"], stay["patient_id"]}
        return stay

    async def raise_alert(self, stay_id: str) -> tuple[str, str]:
        """A reading, and the alert that it raised."""
        observed_at = self.hospital.app.state.clock.now().isoformat()
        body = {"stay_id": stay_id, "observed_at": observed_at, "spo2": 85, "device": {"id": self.clinical}}
        kept = await self.call("POST", "/v1/readings", body)
        alert_id = kept["alerts"][0]["alert_id"]
        await self.call("POST", f"/v1/alerts/{alert_id}/note", {"text": self.clinical})
        self.known |= {alert_id, kept["reading_id"]}
        return kept["reading_id"], alert_id

    async def bed(self) -> None:
        """A stay with a reading, an alert, paired apps and an open code: what the ids name from now on."""
        stay = await self.admit(identifiers=[{"system": "mrn", "value": f"{self.clinical}-{len(self.known)}"}])
        reading_id, alert_id = await self.raise_alert(stay["id"])
        ids = {"stay_id": stay["id"], "patient_id": stay["patient_id"], "reading_id": reading_id, "alert_id": alert_id}
        self.ids.update(ids)

    def bedside(self) -> Bedside:
        """The stay that the ids name."""
        stay = {"id": self.ids["stay_id"], "patient_id": self.ids["patient_id"]}
        return Bedside(self.hospital, self.ids["ward_id"], stay, self.team)

    async def pair(self) -> dict[str, Headers]:
        """A patient's and a carer's app, paired with the stay that the ids name; a code stays open."""
        bed = self.bedside()
        at_home = {
            "patient": bearer(await bed.tokens()),
            "carer": bearer(await bed.tokens(carer={"name": self.clinical})),
        }
        self.ids["code_id"] = (await bed.new_code())["id"]
        self.ids["pairing_id"] = (await bed.listed("pairings"))[0]["id"]
        self.ids["carer_id"] = (await bed.listed("carers"))[0]["id"]
        self.known |= {self.ids[name] for name in ("code_id", "pairing_id", "carer_id")}
        return at_home

    async def lay_down(self) -> None:
        """Rules that another lead approved, a shadow beside them, shifts and an escalation policy of the ward's own."""
        ward_id, lead = self.ids["ward_id"], self.ids["staff_id"]
        another = await self.hospital.staff_id(ward_id, role="lead", name=self.administrative)
        header = await self.hospital.token("staff", another)
        approved = await self.hospital.client.post(f"/v1/wards/{ward_id}/rule-sets/1/approve", headers=header)
        assert approved.status_code == 200, approved.text
        await self.call("PUT", f"/v1/wards/{ward_id}/rule-set/shadow", {"number": 0})
        hours = (await self.call("GET", f"/v1/wards/{ward_id}/coverage", None))["service_hours"]
        shift = [{"starts": "07:00", "ends": "20:00", "staff_id": lead}]
        duty = {"week": dict.fromkeys(hours["week"], shift), "dates": []}
        coverage = {"service_hours": hours, "on_duty": duty, "version": 1}
        await self.call("PUT", f"/v1/wards/{ward_id}/coverage", coverage)
        steps = [
            {"after_minutes": 0, "notify": "on_duty", "channel": "queue"},
            {"after_minutes": 5, "notify": f"staff:{another}", "channel": "email"},
            {"after_minutes": 10, "notify": "out_of_hours", "channel": "email"},
        ]
        policy = {"steps": steps, "out_of_hours_email": f"{self.administrative}@night.test", "version": 1}
        await self.call("PUT", f"/v1/wards/{ward_id}/escalation-policy", policy)

    async def offer(self, ward_id: str) -> str:
        """A stay of this ward offered to another; the id of the offer."""
        stay = await self.admit()
        offered = await self.call("POST", f"/v1/stays/{stay['id']}/transfer", {"ward_id": ward_id, "version": 1}, 202)
        return str(offered["transfer"]["id"])


async def furnished(hospital: Hospital, mark: str = "Example") -> Furnished:
    """A new ward with one of everything."""
    ward_id = await hospital.ward(f"{mark}-ward")
    staff_id = await hospital.staff_id(ward_id, role="lead", name=f"{mark}-ward")
    made = Furnished(hospital, {"ward_id": ward_id, "staff_id": staff_id}, {}, mark)
    made.team = await hospital.token("staff", staff_id)
    await made.bed()
    await made.pair()
    made.ids["client_id"] = await hospital.client_id(ward_id, name=f"{mark}-ward")
    made.ids["transfer_id"] = await made.offer(await hospital.ward(f"{mark}-ward"))
    made.known.add(made.ids["transfer_id"])
    text = {"phone": "020 7946 0000", "out_of_hours_text": f"{mark}-ward", "version": 1}
    await made.call("PATCH", f"/v1/wards/{ward_id}", text)
    proposal = {"numbers": {"standard_amber_at": 93}, "reason": f"{mark}-ward"}
    await made.call("POST", f"/v1/wards/{ward_id}/rule-sets", proposal)
    return made
