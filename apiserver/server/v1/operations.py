"""The table of ``/v1``: what can be asked, what comes in, what goes out. Router and documentation are made from it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from apiserver.server.http.metrics import Metrics
from apiserver.server.http.resources import REQUEST_SECONDS
from apiserver.server.http.watch import MAX_POLL_SECONDS
from apiserver.server.v1 import shapes
from apiserver.server.v1.apps import Apps
from apiserver.server.v1.assignments import Assignments
from apiserver.server.v1.calls import Call
from apiserver.server.v1.directory import Directory
from apiserver.server.v1.discovery import STRATEGIES, Discovery
from apiserver.server.v1.nodes import Nodes
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.services import Services
from apiserver.server.v1.stream import Stream
from apiserver.server.v1.tasks import Tasks
from apiserver.server.v1.uploads import Uploads
from apiserver.server.v1.views import Views

Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query."""

    name: str
    description: str
    required: bool = False
    type: str = "string"
    most: int = 0
    enum: Sequence[str] = ()


@dataclass(frozen=True)
class Operation:
    """One row of the contract."""

    method: str
    path: str
    """``{id}`` stands for one segment, the last."""
    handler: Handler
    summary: str
    answer: Any = None
    """The type of the JSON that a success has; None: 204 without a body."""
    body: type[BaseModel] | None = None
    is_upload: bool = False
    is_stream: bool = False
    seconds: float | None = REQUEST_SECONDS
    """How long it may take; None: as long as it likes."""
    query: Sequence[Parameter] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    """What can go wrong, beside what can always."""
    also: Mapping[int, str] = field(default_factory=dict)
    """Further successes without a body."""


SERVICE = Parameter("service", "Name of the service.", required=True)
NARROW = (
    Parameter("version", "Only endpoints of this version."),
    Parameter("protocol", "Only endpoints of this protocol."),
    Parameter("namespace", "Namespace of the service; `default` if it is not given."),
)
WAIT = (
    Parameter(
        "resourceVersion",
        "The `Plum-Resource-Version` of the last reply: wait for a change after it.",
        type="integer",
        most=2**53,
    ),
    Parameter(
        "timeoutSeconds", "How long to wait for one, 30 if it is not given.", type="integer", most=MAX_POLL_SECONDS
    ),
)
LIMIT = Parameter("limit", "At most so many; 0 is all.", type="integer", most=10_000_000)
NODE = Parameter("nodeId", "The node.", required=True)
BAD = {400: "The request is wrong; the text names the field and the remedy."}
UNKNOWN = {404: "There is no such object."}
UNKNOWN_NAMESPACE = {403: "The namespace is being deleted.", 404: "There is no such namespace."}


def operations(parts: Parts, uploads: Uploads, apps: Apps, metrics: Metrics) -> Sequence[Operation]:
    """All of them, with their handlers."""
    store = parts.registry.store
    views = Views(store)
    directory = Directory(store, parts.registry.leases, parts.endpoint_leases)
    nodes, tasks, assignments = Nodes(parts), Tasks(parts, views, uploads), Assignments(parts, views)
    services, discovery, stream = Services(parts), Discovery(parts, directory), Stream(store, metrics)
    return [
        *_nodes(nodes),
        *_apps(apps),
        *_tasks(tasks),
        *_assignments(assignments),
        *_services(services, discovery),
        Operation(
            "GET", "/v1/stream", stream.serve, "Tell of every change of a node's assignments", str,
            query=[NODE], is_stream=True, seconds=None, errors=BAD,
        ),
    ]  # fmt: skip


def _nodes(nodes: Nodes) -> Sequence[Operation]:
    return [
        Operation(
            "POST", "/v1/nodes/heartbeat", nodes.heartbeat, "A node is there", shapes.Ttl, shapes.Heartbeat,
            errors=BAD | {409: "Another agent speaks for the node."},
        ),
        Operation("GET", "/v1/nodes", nodes.list, "All nodes, by id", list[shapes.NodeShown]),
        Operation("GET", "/v1/nodes/{id}", nodes.get, "One node", shapes.NodeShown, errors=UNKNOWN),
        Operation(
            "DELETE", "/v1/nodes/{id}", nodes.delete, "Take a node out; an unknown one is no error",
            errors={409: "Assignments name the node."},
        ),
    ]  # fmt: skip


def _apps(apps: Apps) -> Sequence[Operation]:
    return [
        Operation(
            "POST", "/v1/apps/upload", apps.upload, "Upload an app's zip archive", shapes.AppShown,
            query=[Parameter("namespace", "Namespace of the app; `default` if it is not given.")],
            is_upload=True, seconds=None,
            errors=BAD | UNKNOWN_NAMESPACE | {504: "The upload stood still."},
        ),
        Operation("GET", "/v1/apps", apps.list, "All uploads, newest first", list[shapes.AppShown]),
        Operation(
            "DELETE", "/v1/apps/{id}", apps.delete, "Delete an upload",
            errors=UNKNOWN | {409: "Tasks or assignments use it."},
        ),
    ]  # fmt: skip


def _tasks(tasks: Tasks) -> Sequence[Operation]:
    return [
        Operation(
            "POST", "/v1/tasks", tasks.create, "Make a task and its instances", shapes.TaskCreated, shapes.TaskGiven,
            errors=BAD | {409: "The name is taken."},
        ),
        Operation("GET", "/v1/tasks", tasks.list, "All tasks, newest first", list[shapes.TaskListed]),
        Operation("GET", "/v1/tasks/{id}", tasks.get, "One task", shapes.TaskDetail, errors=UNKNOWN),
        Operation(
            "PATCH", "/v1/tasks/{id}", tasks.patch, "Replace a task's labels", shapes.TaskChanged, shapes.TaskPatch,
            errors=BAD | UNKNOWN, also={204: "There was nothing to change."},
        ),
        Operation("DELETE", "/v1/tasks/{id}", tasks.delete, "Delete a task; an unknown one is no error"),
    ]  # fmt: skip


def _assignments(assignments: Assignments) -> Sequence[Operation]:
    return [
        Operation(
            "GET", "/v1/assignments", assignments.list, "What a node should run, oldest first", shapes.Assignments,
            query=[NODE, LIMIT], errors=BAD,
        ),
        Operation(
            "PATCH", "/v1/assignments/{id}", assignments.patch, "Start or stop an instance",
            body=shapes.AssignmentPatch, errors=BAD | UNKNOWN,
        ),
        Operation(
            "DELETE", "/v1/assignments/{id}", assignments.delete, "Take an instance away for good", errors=UNKNOWN
        ),
        Operation(
            "POST", "/v1/instances/status", assignments.report, "What an agent saw of an instance",
            body=shapes.StatusGiven, errors=BAD,
        ),
    ]  # fmt: skip


def _services(services: Services, discovery: Discovery) -> Sequence[Operation]:
    key = Parameter("hashKey", "With `hash`: equal keys go to the same endpoint.")
    how = Parameter("strategy", "How to choose; `random` if it is not given.", enum=STRATEGIES)
    return [
        Operation(
            "POST", "/v1/services/register", services.register, "These are an instance's endpoints",
            body=shapes.Registration, errors=BAD,
        ),
        Operation(
            "POST", "/v1/services/heartbeat", services.heartbeat, "An instance's endpoints are alive",
            body=shapes.ServiceHeartbeat, errors=BAD,
        ),
        Operation(
            "DELETE", "/v1/services", services.delete, "An instance has no endpoints any more",
            query=[Parameter("instanceId", "The instance.", required=True)], errors=BAD,
        ),
        Operation(
            "GET", "/v1/services/list", discovery.names, "The names of all services", list[str], query=[NARROW[2]]
        ),
        Operation(
            "GET", "/v1/discovery", discovery.discover, "The healthy endpoints of a service",
            list[shapes.EndpointShown], query=[SERVICE, *NARROW, LIMIT, *WAIT], seconds=None, errors=BAD,
        ),
        Operation(
            "GET", "/v1/resolve", discovery.resolve, "One healthy endpoint of a service", shapes.EndpointShown,
            query=[SERVICE, how, key, *NARROW, *WAIT], seconds=None,
            errors=BAD | {404: "The service has no healthy endpoint."},
        ),
        Operation(
            "GET", "/v1/discovery/prometheus", discovery.prometheus, "All endpoints, for Prometheus' HTTP discovery",
            list[shapes.Targets], query=[Parameter("service", "Only of this service."), NARROW[2]],
        ),
    ]  # fmt: skip
