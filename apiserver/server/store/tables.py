"""The SQLite tables. Kinds are JSON bodies: a new kind needs no migration. A change here needs one."""

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 2

SEQUENCE_BITS = 20
"""A change's row id is its version, then its place within the version, so that the log needs no index of its
order: a million changes a commit, and versions up to 2 to the 43."""


def row_id(version: int, sequence: int = 0) -> int:
    """The log's row id of a change."""
    return version << SEQUENCE_BITS | sequence


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
    __table_args__ = (Index("events_key", "kind", "namespace", "name", "id"),)

    id: int = Field(primary_key=True)
    """See ``row_id``."""
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


class RevisionRow(SQLModel, table=True):
    """A spec kept for rollback, beyond the log."""

    __tablename__ = "revisions"
    __table_args__ = (Index("revisions_key", "kind", "namespace", "name", "number", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    namespace: str
    name: str
    number: int
    version: int
    time: str
    user: str
    manager: str
    spec: bytes = Field(sa_type=LargeBinary)


class MetaRow(SQLModel, table=True):
    """Facts about the store: ``schema_version``, ``version``, ``compacted``, ``compacted_time``, ``cluster_id``."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str
