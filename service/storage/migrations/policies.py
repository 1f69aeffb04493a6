"""Who may do what with which table, and which rows they see: the text of the second line, from the tables themselves.

A table with a `ward_id` belongs to wards, so a new one is covered as soon as it is there. The intake's policies are
`true`, which the planner takes away: its statements are planned as if there were none."""

from collections.abc import Iterator, Mapping

from sqlalchemy import MetaData, Table

from service.fields import NIL_ID
from service.storage.roles import Role

# Arrays and ids are worked out once for a statement (an InitPlan), not for each row. What was never said, or said in a
# transaction before, is empty and equals nothing.
WARDS = "(SELECT nullif(current_setting('wardwatch.wards', true), '')::uuid[])::uuid[]"
_TOLD = f"SELECT told || '{NIL_ID}'::uuid FROM (SELECT {WARDS} AS told) AS said WHERE told IS NOT NULL"  # noqa: S608
WARDS_AND_NONE = f"({_TOLD})::uuid[]"
STAY = "(SELECT nullif(current_setting('wardwatch.stay', true), '')::uuid)"

READ, ADD, CHANGE = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE"
ALL = "SELECT, INSERT, UPDATE, DELETE"
SEAL = "SELECT, INSERT, UPDATE (number, seal)"
TO_TELL = "SELECT (id, name, email, active)"
"""Whom to ring or write to, and not how they sign in."""
COLLEAGUES = "SELECT (id, name, email, administrator, active)"
SYSTEMS = "SELECT (id, name, scopes, active)"
"""What they may do, and not how they sign in: whoever takes a stay asks whether who offered it still may."""

PERSONS = frozenset({"patient", "patient_identifier", "carer", "pairing_code", "alert_note"})
"""Names, numbers and free text about people."""
STAY_OF = {"stay": "id", "reading": "stay_id", "plan": "stay_id", "alert": "stay_id"}
"""What is read for somebody at home, and where it says whose it is."""
LAID_DOWN = ("coverage", "escalation_policy", "rule_set")
"""How a ward works: nothing about patients."""
OF_EVERY_WARD = (Role.INTAKE, Role.TIMERS, Role.DESK, Role.FEED, Role.RETENTION)

# Beyond what is usual for a table (`_usual`), or in its place.
TEAM: Mapping[str, str] = {
    **dict.fromkeys(("patient", "patient_identifier"), ALL),
    **dict.fromkeys(("token_family", "idempotency"), ALL),  # erased with somebody's identity
    **dict.fromkeys(("membership", "client_ward"), READ),
    "access_change": CHANGE,
    "staff": COLLEAGUES,
    "client": SYSTEMS,
    "audit": ADD,
}
LISTED: Mapping[Role, Mapping[str, str]] = {
    Role.TEAM: TEAM,
    Role.ACCOUNTS: {**TEAM, **dict.fromkeys(("staff", "membership", "client", "client_ward"), ALL)},
    Role.INTAKE: {
        **dict.fromkeys(("ward", *LAID_DOWN, "membership"), READ),
        **dict.fromkeys(("reading", "idempotency", "refusal", "plan", "event", "notice"), ADD),
        **dict.fromkeys(("stay", "alert", "alert_response", "ward_feed", "shadow_count"), CHANGE),
        "staff": TO_TELL,
        "audit": "INSERT",
    },
    Role.TIMERS: {
        **dict.fromkeys(("work_lease", "heartbeat", "notice"), ALL),
        **dict.fromkeys(("membership", "client_ward"), READ),
        "staff": TO_TELL,
        "audit": SEAL,
    },
    Role.DESK: {
        **dict.fromkeys(("membership", "client_ward", "ward", "carer"), READ),
        **dict.fromkeys(("pairing", "pairing_code", "access_incident"), CHANGE),
        "audit": "INSERT",
    },
    Role.HOME: {
        **dict.fromkeys((*STAY_OF, "ward", "event", *LAID_DOWN, "membership"), READ),
        "staff": TO_TELL,
        "audit": "INSERT",
    },
    Role.FEED: {"ward_feed": READ, "stay": "SELECT (ward_id, id)"},
    Role.RETENTION: {
        **dict.fromkeys(("ward", "membership", "client_ward", *LAID_DOWN), READ),
        # Held while their rows go; and events lose whom they were about, for a feed has no gaps.
        **dict.fromkeys(("patient", "stay", "alert"), "SELECT, UPDATE, DELETE"),
        **dict.fromkeys(("event", "ward_feed"), CHANGE),
        **dict.fromkeys(("token_family", "access_change"), "SELECT, DELETE"),
        "audit": "INSERT",
    },
}


def grants_on(table: Table) -> Mapping[Role, str]:
    """What each role may do with a table; a role that is not among them may do nothing."""
    listed = {role: tables[table.name] for role, tables in LISTED.items() if table.name in tables}
    return {**_usual(table), **listed}


def _usual(table: Table) -> Mapping[Role, str]:
    """What is given unless something else is listed. The trail is appended to: nothing is usual about it."""
    if table.name in ("audit", "work_lease", "heartbeat"):
        return {}
    if table.name == "signing_key":
        return {Role.DESK: ALL}
    if not is_ward_owned(table):
        return {Role.DESK: ALL, Role.ACCOUNTS: ALL}
    wards = {Role.TEAM: CHANGE, Role.ACCOUNTS: CHANGE, Role.RETENTION: "SELECT, DELETE"}
    return wards if table.name in PERSONS else {**wards, Role.TIMERS: CHANGE}


def policies_on(table: Table) -> Iterator[str]:
    """What follows `CREATE POLICY` for each policy of a ward-owned table: permissive ones, of which one must hold."""
    name = table.name
    ward = "id" if name == "ward" else "ward_id"
    granted = grants_on(table)
    whole = [role for role in OF_EVERY_WARD if role in granted]
    yield f"whole ON {name} TO {_names(Role.OPERATOR, *whole)} USING (true)"
    wards = WARDS if name != "audit" else WARDS_AND_NONE
    if Role.TEAM in granted:
        yield f"wards ON {name} TO {_names(Role.TEAM, Role.ACCOUNTS)} USING ({ward} = ANY ({wards}))"
    if Role.HOME in granted:
        yield f"home ON {name} TO {Role.HOME} USING ({_at_home(name, ward)})"
    if name in ("ward", "ward_feed", "membership", "client_ward"):
        yield f"accounts ON {name} TO {Role.ACCOUNTS} USING (true)"
    elif name in LAID_DOWN:
        yield f"accounts ON {name} FOR SELECT TO {Role.ACCOUNTS} USING (true)"
    elif name in ("event", "audit"):
        yield f"accounts ON {name} FOR INSERT TO {Role.ACCOUNTS} WITH CHECK (true)"
        if name == "audit":
            yield f"sealed ON audit AS RESTRICTIVE FOR UPDATE TO {Role.TIMERS} USING (number IS NULL) WITH CHECK (true)"
    elif name == "transfer":
        yield f"given ON {name} TO {Role.TEAM}, {Role.ACCOUNTS} USING (from_ward_id = ANY ({WARDS}))"


def is_ward_owned(table: Table) -> bool:
    """Whether rows of the table belong to a ward."""
    return table.name == "ward" or "ward_id" in table.c


def statements(metadata: MetaData) -> Iterator[str]:
    """Everything that draws the second line, on tables that have no policies."""
    everybody = ", ".join(Role)
    yield f"GRANT SELECT ON alembic_version TO {everybody}"
    for table in metadata.sorted_tables:
        yield f"REVOKE ALL ON {table.name} FROM {everybody}"
        for role, verbs in grants_on(table).items():
            yield f"GRANT {verbs} ON {table.name} TO {role}"
        if is_ward_owned(table):
            yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
            yield f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"
            yield from (f"CREATE POLICY {policy}" for policy in policies_on(table))


def _at_home(name: str, ward: str) -> str:
    mine = f"{ward} = ANY ({WARDS})"
    if name in STAY_OF:
        return f"{mine} AND {STAY_OF[name]} = {STAY}"
    if name == "event":
        return f"{mine} AND data ->> 'stay_id' = (SELECT current_setting('wardwatch.stay', true))"
    return mine


def _names(*roles: Role) -> str:
    return ", ".join(roles)
