"""How the service keeps time: who does which ward's work, and who is still alive to do it."""

from datetime import datetime

from sqlalchemy import String
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import instant, key


class WorkLeaseRow(SQLModel, table=True):
    """Which replica does one kind of a ward's time-driven work, until when (real time)."""

    __tablename__ = "work_lease"

    ward_id: str = key()
    kind: str = Field(sa_type=String(20), primary_key=True)
    holder: str = Field(sa_type=String(36))
    until: datetime = instant()


class HeartbeatRow(SQLModel, table=True):
    """When a replica last finished a round of one kind of work (real time)."""

    __tablename__ = "heartbeat"

    replica_id: str = key()
    kind: str = Field(sa_type=String(20), primary_key=True)
    at: datetime = instant()


class WardWatchRow(SQLModel, table=True):
    """Locked in place of a stay by whoever changes an alert about the ward itself."""

    __tablename__ = "ward_watch"

    ward_id: str = key()
