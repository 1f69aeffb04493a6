"""On whose behalf a transaction is, as the database is told: the second line behind `access/visibility.py`.

Each role may touch the tables it needs, and those of a principal see the rows of the wards they are told, no others
(`migrations/second_line.py`). SQLite has no such thing."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of a PostgreSQL database; nobody signs in as one of them."""

    TEAM = "wardwatch_team"
    """Staff and systems, on their wards. Told nothing, it sees nothing."""
    HOME = "wardwatch_home"
    """A patient or a carer: one stay."""
    ACCOUNTS = "wardwatch_accounts"
    """Whoever manages wards and accounts: the team's, and which wards there are, how they work and who works where."""
    INTAKE = "wardwatch_intake"
    """Readings of all wards, and what they are judged by. No names."""
    TIMERS = "wardwatch_timers"
    """What time alone brings about, on all wards."""
    DESK = "wardwatch_desk"
    """Signing in: accounts, tokens and pairings. Nothing clinical."""
    FEED = "wardwatch_feed"
    """How far each ward's feed is, and which ward a stay is on."""
    RETENTION = "wardwatch_retention"
    """Removes what has been kept for its time: the one that may."""
    OPERATOR = "wardwatch_operator"
    """The command line, a backup: whatever the database's own user does. Never taken, only held."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A role (None: that of the user who signed in), and the wards and the stay that it is for."""

    role: Role | None
    ward_ids: tuple[str, ...] = ()
    stay_id: str = ""

    @property
    def told(self) -> tuple[str, str, str]:
        """What the database is told: role, wards, stay."""
        return self.role or "none", "{" + ",".join(self.ward_ids) + "}" if self.ward_ids else "", self.stay_id


NOBODY = Acting(Role.TEAM)
SESSION_USER = Acting(None)
