"""Issuers elsewhere (OpenID Connect) whose access tokens are taken, as they are set: how each one's tokens are checked,
and which rights its claims give here. Nothing is given that is not set."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from service.errors import SettingInvalid
from service.fields import CleanText, Id
from service.settings import Settings

SETTING = "WARDWATCH_OIDC_ISSUERS"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""With pairs of keys only: whoever can check a token cannot make one."""
STRONGEST_FIRST = ("lead", "clinician", "auditor")
"""Whoever is given several roles on one ward has the first of these."""
MAX_CLOCK_SKEW = 120


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody's claims give here: a role on each ward, by ward id. Wards need not be known."""

    roles: Mapping[str, str]
    administrator: bool = False

    @property
    def none(self) -> bool:
        """Whether they give nothing at all."""
        return not self.roles and not self.administrator


def is_reachable(url: str) -> bool:
    """Whether a URL is one we would ask for keys: https, or plain http on this machine alone, for trying things out."""
    parts = urlsplit(url)
    if parts.username or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(value: str) -> str:
    if not is_reachable(value):
        raise ValueError("must be an https URL")
    return value


def _name(value: str) -> str:
    if urlsplit(value).query:
        raise ValueError("must have no query")
    return _url(value)


Text = Annotated[CleanText, Field(min_length=1, max_length=500)]
Claim = Text | Annotated[list[Text], Field(min_length=1, max_length=5)]
"""The name of a claim; a list is the way to one inside of others."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Grant(_Strict):
    """A role on these wards."""

    role: Literal["clinician", "lead", "auditor"]
    wards: Annotated[list[Id], Field(min_length=1, max_length=200)]


class Issuer(_Strict):
    """One issuer. `roles`: what a value of the role claim gives, either a role on the wards of the ward claim, or a
    role on wards named here, or `administrator`. `wards`: which ward of ours a value of the ward claim stands for,
    where it is not the ward's id."""

    issuer: Annotated[Text, AfterValidator(_name)]
    audience: Text
    role_claim: Claim
    roles: Annotated[
        dict[Text, Literal["clinician", "lead", "auditor", "administrator"] | Grant],
        Field(min_length=1, max_length=500),
    ]
    ward_claim: Claim | None = None
    wards: dict[Text, Id] = Field(default_factory=dict)
    jwks_url: Annotated[Text, AfterValidator(_url)] | None = None
    algorithms: Annotated[list[Literal[ALGORITHMS]], Field(min_length=1)] = Field(  # type: ignore[valid-type]
        default_factory=lambda: ["RS256", "PS256", "ES256"]
    )
    clock_skew_seconds: Annotated[int, Field(ge=0, le=MAX_CLOCK_SKEW)] = 30

    @model_validator(mode="after")
    def _wards_are_known(self) -> "Issuer":
        open_roles = [each for each in self.roles.values() if isinstance(each, str) and each != "administrator"]
        if open_roles and self.ward_claim is None:
            raise ValueError("ward_claim is needed: roles name no wards")
        return self

    def rights(self, claims: Mapping[str, Any]) -> Rights:
        """What these claims give. Values that are not set give nothing."""
        given = [self.roles[value] for value in _values(claims, self.role_claim) if value in self.roles]
        found: dict[str, set[str]] = {}
        for each in given:
            if isinstance(each, Grant):
                role, ward_ids = str(each.role), each.wards
            else:
                role, ward_ids = str(each), self._wards_of(claims)
            for ward_id in ward_ids if role in STRONGEST_FIRST else ():
                found.setdefault(ward_id, set()).add(role)
        roles = {ward_id: min(several, key=STRONGEST_FIRST.index) for ward_id, several in sorted(found.items())}
        return Rights(roles, "administrator" in given)

    def _wards_of(self, claims: Mapping[str, Any]) -> list[str]:
        named = _values(claims, self.ward_claim) if self.ward_claim is not None else []
        return [self.wards.get(value, value) for value in named]


def _values(claims: Mapping[str, Any], claim: str | Sequence[str]) -> list[str]:
    """The texts of a claim: one, or a list of them. What is no text is left out."""
    found: Any = claims
    for name in [claim] if isinstance(claim, str) else claim:
        found = found.get(name) if isinstance(found, Mapping) else None
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]


_ISSUERS: TypeAdapter[list[Issuer]] = TypeAdapter(list[Issuer])


def read_issuers(settings: Settings) -> list[Issuer]:
    """The issuers that are set; raises SettingInvalid saying which field of which issuer cannot be used."""
    if not settings.oidc_issuers:
        return []
    try:
        found = _ISSUERS.validate_json(settings.oidc_issuers)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        where = " ".join(str(part) for part in first["loc"] if not isinstance(part, str) or part in Issuer.model_fields)
        raise SettingInvalid(f"{SETTING} cannot be used: issuer {where or 'list'}: {first['msg']}") from None
    names = [each.issuer for each in found]
    if len(set(names)) < len(names):
        raise SettingInvalid(f"{SETTING} cannot be used: an issuer is there twice")
    if settings.issuer in names:
        raise SettingInvalid(f"{SETTING} cannot be used: it names WARDWATCH_ISSUER, which is this service")
    return found
