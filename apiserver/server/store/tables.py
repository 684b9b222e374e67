"""The SQLite tables. Kinds are JSON bodies: a new kind needs no migration."""

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 1


class ObjectRow(SQLModel, table=True):
    """The current state of one object."""

    __tablename__ = "objects"
    __table_args__ = (Index("objects_key", "kind", "namespace", "name", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    namespace: str
    name: str
    uid: str
    version: int
    body: bytes = Field(sa_type=LargeBinary)


class EventRow(SQLModel, table=True):
    """One change: the watch feed after a restart, and the history."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_order", "version", "sequence", unique=True),
        Index("events_key", "kind", "namespace", "name", "version"),
    )

    id: int | None = Field(default=None, primary_key=True)
    version: int
    sequence: int
    type: str
    kind: str
    namespace: str
    name: str
    uid: str
    time: str
    user: str
    manager: str
    previous: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What selectors saw before the change, as JSON: a watcher that resumes must learn of objects that left."""
    body: bytes = Field(sa_type=LargeBinary)


class MetaRow(SQLModel, table=True):
    """Facts about the store: ``schema_version``, ``version``, ``compacted``, ``cluster_id``."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str
