"""Who is asking, and what each role may do. Scopes hold per ward: a lead on one may be nobody on another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from service.storage.roles import Acting, Role

SCOPES: Final[Mapping[str, str]] = {
    "readings:write": "Send readings",
    "readings:read": "Read readings",
    "patients:read": "Read patients and stays",
    "patients:write": "Change patients; admit, plan, pause and discharge",
    "alerts:read": "Read the alert queue",
    "alerts:act": "Acknowledge, note and resolve alerts",
    "wards:read": "Read wards",
    "wards:manage": "Change a ward's settings, coverage, policy and webhooks",
    "audit:read": "Read the audit trail",
    "system:admin": "Make wards, staff and clients",
}

_PERSONAL = frozenset({"readings:write", "readings:read"})
_READING = frozenset({"readings:read", "patients:read", "alerts:read", "wards:read"})
_CLINICAL = _READING | {"readings:write", "patients:write", "alerts:act"}

ROLE_SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "patient": _PERSONAL,
    "carer": _PERSONAL,
    "clinician": _CLINICAL,
    "lead": _CLINICAL | {"wards:manage"},
    "auditor": _READING | {"audit:read"},
    "administrator": frozenset({"wards:read", "system:admin"}),
    "partner": _CLINICAL | {"wards:manage"},
}
"""The table of the API's section on access. `administrator` is not a role on a ward: it covers every ward,
and nothing clinical. A partner has what it was given of its row. People at home reach stays, not wards."""

CLINICIAN_ROLES = frozenset({"clinician", "lead"})


AT_HOME = frozenset({"patient", "carer"})


@dataclass(frozen=True, slots=True)
class Home:
    """What an app at home is paired with: all that its owner reaches, whether patient or carer."""

    ward_id: str
    stay_id: str
    patient_id: str
    pairing_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody with a valid token. `scopes` are those of the token, `roles` the role on each ward by ward id.

    Somebody at home has no ward, so that what is asked by ward shows them nothing: they have a `home`.

    `client_id` is the dashboard of others that somebody signed in for: then scopes and wards are those of both.

    `ward_ids` is sorted. `administrator` stands for every ward, where a call is not clinical. `family_id` is the
    sign-in that the token came of. `acting` is what the database is told."""

    id: str
    kind: Literal["staff", "client", "patient", "carer"]
    name: str
    scopes: frozenset[str]
    roles: Mapping[str, str]
    administrator: bool = False
    family_id: str = field(default="", compare=False)
    home: Home | None = None
    client_id: str = field(default="", compare=False)
    ward_ids: tuple[str, ...] = field(init=False)
    acting: Acting = field(init=False, repr=False, compare=False)
    _narrowed: dict[tuple[str, ...], "Principal"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ward_ids", tuple(sorted(self.roles)))
        object.__setattr__(self, "acting", self._acting())
        object.__setattr__(self, "_narrowed", {})

    def _acting(self) -> Acting:
        if self.home is not None:
            return Acting(Role.HOME, (self.home.ward_id,), self.home.stay_id)
        return Acting(Role.ACCOUNTS if self.administrator else Role.TEAM, self.ward_ids)

    def on(self, *scopes: str) -> "Principal":
        """The same principal with only the wards on which it holds at least one of these scopes.

        So whoever is lead here and auditor there cannot use the one ward's scope on the other."""
        found = self._narrowed.get(scopes)
        if found is None:
            held = self.scopes.intersection(scopes)
            found = Principal(
                self.id,
                self.kind,
                self.name,
                self.scopes,
                {ward_id: role for ward_id, role in self.roles.items() if held & ROLE_SCOPES[role]},
                self.administrator and bool(held & ROLE_SCOPES["administrator"]),
                self.family_id,
                self.home if self.home and held & ROLE_SCOPES[self.kind] else None,
                self.client_id,
            )
            self._narrowed[scopes] = found
        return found


def scopes_of(roles: Iterable[str], administrator: bool) -> frozenset[str]:
    """Every scope that these roles give."""
    granted: frozenset[str] = frozenset().union(*(ROLE_SCOPES[role] for role in roles))
    return granted | ROLE_SCOPES["administrator"] if administrator else granted
