"""Who may call what, from the code: `python -m tests.access.table` writes docs/access.md anew."""

from typing import Any

from service.access.guards import Public, RequiresAtHome, RequiresOnWard, RequiresTeam, guard_of
from service.access.principals import AT_HOME, ROLE_SCOPES
from service.accounts.guards import RequiresManager
from service.app import create_app
from service.openapi import routes_of
from service.settings import Settings
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "access.md"
ROLES = tuple(ROLE_SCOPES)
HEAD = """# Who may call what

Made from the guards of the routes and the scopes of the roles by `python -m tests.access.table`; a test calls every
route as every role and holds the answers against it.

* **own wards**: on wards where the caller has the role; everything else answers 404, as if it were not there.
* **own stay**: the stay an app at home is paired with. **all**: every ward, and nothing clinical. **any**: everybody.
* **–**: 403, with the scopes it takes; calls that only people at home have answer 404 to everybody else, and those that
  name a ward may answer 404 to people at home.
* A partner system also needs to have been given the scope.
* Without a token, or with one that has expired or was revoked: 401. An app at home whose stay or pairing has ended: 401
  `pairing_ended`, and 400 with the same code for its refresh token.
* **stay ended**: what is left to whoever may call it: **read**; **409**, nothing changes; **yes**, as before;
  **from now on**, 409 before.
* Accounts are managed by people: a partner system gets 403 whatever it was given.
* Some calls ask for more than a role: the other person for an approval; for a lead, an account that is wholly on
  the own wards and less than a lead's. Only administrators give and take `lead` and `auditor`.

"""


def cell(route: Any, role: str) -> str:
    """What a role may do with a route."""
    guard = guard_of(route)
    if isinstance(guard, Public):
        return "any"
    assert guard is not None
    if guard.scopes and not ROLE_SCOPES[role].intersection(guard.scopes):
        return "–"
    if isinstance(guard, RequiresAtHome):
        return "own stay" if role in AT_HOME else "–"
    if role in AT_HOME:
        return "–" if isinstance(guard, RequiresTeam | RequiresOnWard) else "own stay" if guard.scopes else "yes"
    if not guard.scopes:
        return "yes"
    if role == "partner" and isinstance(guard, RequiresManager):
        return "–"  # accounts are managed by people
    return "all" if role == "administrator" else "own wards"


OF_A_STAY = {"stay_id", "alert_id", "reading_id", "patient_id"}
AFTER_THE_END = {
    "POST /v1/readings/batch": "409 for each",
    "POST /v1/readings/{reading_id}/entered-in-error": "yes",
    "POST /v1/alerts/{alert_id}/note": "yes",
    "PATCH /v1/patients/{patient_id}": "yes",
    "POST /v1/patients/{patient_id}/erasures": "from now on",
    "POST /v1/patients/{patient_id}/erasures/approve": "from now on",
    "POST /v1/patients/{patient_id}/erasures/withdraw": "from now on",
    "DELETE /v1/stays/{stay_id}/carers/{carer_id}": "yes",
    "DELETE /v1/stays/{stay_id}/pairing-codes/{code_id}": "404",
    "DELETE /v1/stays/{stay_id}/pairings/{pairing_id}": "404",
}
"""Everything else about a stay can be read, and changes nothing any more."""


def after_the_end(route: Any) -> str:
    """What a call does once the stay it is about has ended; empty when it is about none."""
    (method,) = route.methods
    about = any(f"{{{name}}}" in route.path for name in OF_A_STAY) or route.path.startswith("/v1/readings")
    if not about:
        return ""
    return AFTER_THE_END.get(f"{method} {route.path}", "read" if method == "GET" else "409")


def routes() -> list[Any]:
    """Every documented route."""
    return [route for route in routes_of(create_app(Settings(secret_key="x" * 32))) if route.include_in_schema]


def render() -> str:
    """The page."""
    lines = [f"| call | scope | {' | '.join(ROLES)} | stay ended |", "|" + "---|" * (len(ROLES) + 3)]
    for route in sorted(routes(), key=lambda each: (each.path, sorted(each.methods))):
        scopes = " or ".join(getattr(guard_of(route), "scopes", None) or ()) or "–"
        cells = " | ".join(cell(route, role) for role in ROLES)
        call = f"`{' '.join(sorted(route.methods))} {route.path}`"
        lines.append(f"| {call} | {scopes} | {cells} | {after_the_end(route)} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
