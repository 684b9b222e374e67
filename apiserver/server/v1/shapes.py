"""The bodies of ``/v1``: models of what comes in, types of what goes out. The OpenAPI document is made from them.

``null`` is the same as nothing, as it was for the original; unknown keys are ignored.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

Text = Annotated[str, Field(max_length=4096)]
Map = dict[Text, Text]


def needed(**schema: Any) -> WithJsonSchema:
    """How the document shows a field that must be there: its handler refuses its absence in the original's words."""
    return WithJsonSchema({"type": "string", "minLength": 1} | schema)


NodeId = Annotated[Text | None, needed(pattern=r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,63}$")]
ServiceText = Annotated[Text | None, needed(maxLength=128)]
PortNumber = Annotated[int | None, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})]
_LABEL = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LabelMap = Annotated[
    Map | None,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "propertyNames": {"pattern": r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"},
            "additionalProperties": {
                "type": "string",
                "pattern": r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$",
            },
        }
    ),
]
"""Kubernetes labels."""

PHASES = ("Pending", "Preparing", "Running", "Stopping", "Stopped", "Exited", "Failed")
"""What an agent may report."""

Seconds = Annotated[int, Field(ge=0, le=2**53)]


class Given(BaseModel):
    """Base of what comes in."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    needs: ClassVar[Sequence[str]] = ()
    """The keys that must be there."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The model's own schema, with what it needs."""
        schema = handler.resolve_ref_schema(handler(core))
        if cls.needs:
            schema["required"] = list(cls.needs)
        return schema


class Heartbeat(Given):
    """A node says that it is there."""

    needs = ("nodeId",)

    node_id: NodeId = None
    ip: Text | None = None
    labels: LabelMap = None


_REPLICAS = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1000,
    "propertyNames": {"pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,63}$"},
    "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 1000},
}


class EntryGiven(Given):
    """One program of a task, and how many copies of it on which node."""

    needs: ClassVar[Sequence[str]] = ("artifactUrl", "replicas")

    artifact_url: Annotated[Text | None, needed(maxLength=2048, pattern="^(/|https?://)[A-Za-z0-9]")] = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """What the archive must be; found out for uploads of this server."""
    start_cmd: Annotated[str, Field(max_length=32768)] | None = None
    replicas: Annotated[dict[Text, int] | None, WithJsonSchema(_REPLICAS)] = None


class TaskGiven(EntryGiven):
    """A task, with ``entries`` or as its only entry."""

    needs = ("name",)

    name: Annotated[Text | None, needed()] = None
    labels: LabelMap = None
    entries: Annotated[list[EntryGiven], Field(max_length=64)] | None = None


class TaskPatch(Given):
    """What may change of a task."""

    name: Text | None = None
    labels: LabelMap = None


class AssignmentPatch(Given):
    """What is wanted of an instance."""

    needs = ("desired",)

    desired: Annotated[Text | None, needed(enum=["Running", "Stopped"])] = None


class StatusGiven(Given):
    """What an agent saw of an instance."""

    needs = ("instanceId", "phase")

    instance_id: Annotated[Text | None, needed()] = None
    phase: Annotated[Text | None, needed(enum=list(PHASES))] = None
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**32)] | None = None
    healthy: bool | None = None
    ts_unix: Seconds | None = None


class EndpointGiven(Given):
    """One address of a service."""

    needs = ("serviceName", "port")

    service_name: ServiceText = None
    protocol: Text | None = None
    port: PortNumber = None
    version: Text | None = None
    labels: Map | None = None


class Registration(Given):
    """All addresses that an instance offers."""

    needs = ("instanceId", "nodeId", "ip", "endpoints")

    instance_id: Annotated[Text | None, needed(maxLength=253)] = None
    node_id: NodeId = None
    ip: Annotated[Text | None, needed(pattern=r"^[0-9A-Za-z.:_-]+$", maxLength=253)] = None
    endpoints: Annotated[list[EndpointGiven], Field(max_length=64)] | None = None


class HealthGiven(Given):
    """What an app says of one of its addresses."""

    service_name: Text | None = None
    ip: Text | None = None
    port: int | None = None
    protocol: Text | None = None
    healthy: bool | None = None


class ServiceHeartbeat(Given):
    """An instance says that its addresses are alive, and perhaps how well."""

    needs = ("instanceId",)

    instance_id: Annotated[Text | None, needed()] = None
    health: Annotated[list[HealthGiven], Field(max_length=64)] | None = None


class Ttl(TypedDict):
    """How long a heartbeat counts."""

    ttlSec: int


class NodeShown(TypedDict):
    """A node."""

    nodeId: str
    ip: str
    labels: dict[str, str]
    lastSeen: int
    health: Literal["Healthy", "Unhealthy"]


class AppShown(TypedDict):
    """An upload."""

    artifactId: str
    name: str
    version: str
    url: str
    sha256: str
    sizeBytes: int
    createdAt: int


class TaskCreated(TypedDict):
    """A new task and its instances."""

    instances: list[str]
    taskId: str


class TaskChanged(TypedDict):
    """The task that was changed; its id stays."""

    taskId: str


class TaskListed(TypedDict):
    """A task in the list; ``instances`` counts those wanted Running."""

    taskId: str
    name: str
    labels: dict[str, str]
    instances: int


class EntryShown(TypedDict):
    """An entry of a task."""

    artifactUrl: str
    startCmd: str
    replicas: dict[str, int]


class TaskShown(TypedDict):
    """A task."""

    taskId: str
    name: str
    labels: dict[str, str]
    entries: list[EntryShown]


class InstanceShown(TypedDict):
    """An instance of a task."""

    instanceId: str
    taskId: str
    nodeId: str
    desired: Literal["Running", "Stopped"]
    artifactUrl: str
    startCmd: str
    phase: str
    healthy: bool
    lastReportAt: int


class TaskDetail(TypedDict):
    """A task and its instances."""

    task: TaskShown
    assignments: list[InstanceShown]


class AssignmentShown(TypedDict):
    """An instance as its node gets it; agents rely on the order of these keys."""

    instanceId: str
    taskId: str
    desired: Literal["Running", "Stopped"]
    artifactUrl: str
    startCmd: str
    phase: str
    healthy: bool
    lastReportAt: int


class Assignments(TypedDict):
    """All instances of a node."""

    items: list[AssignmentShown]


class EndpointShown(TypedDict):
    """One address of a service."""

    serviceName: str
    instanceId: str
    nodeId: str
    ip: str
    port: int
    protocol: str
    version: str
    labels: dict[str, str]
    healthy: bool
    lastSeen: int


class Targets(TypedDict):
    """A group of Prometheus' HTTP service discovery."""

    targets: list[str]
    labels: dict[str, str]
