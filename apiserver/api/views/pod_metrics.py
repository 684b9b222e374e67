"""What instances use, as ``metrics.k8s.io`` says it of pods: for ``kubectl top pod``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import NAME
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.meta import Body, Listed, ListMap, Model, Resource, Time, format_time, parse_time
from apiserver.api.quantities import Quantity
from apiserver.api.scheme import Column
from apiserver.api.usage import InstanceUsage
from apiserver.api.views.registry import VIEWS, View


class Usage(Model):
    """What is used of a machine."""

    cpu: Quantity
    """Processors: the mean over the window."""
    memory: Quantity
    """Bytes that would be free if the instance ended, at the end of the window."""


class ContainerMetrics(Model):
    """What one container uses."""

    name: str
    """The entry's name."""
    usage: Usage
    """Its whole process tree together."""


class PodMetrics(Resource):
    """What an assignment's instance uses, as its node reported it last."""

    api_version: Literal["metrics.k8s.io/v1beta1"] = "metrics.k8s.io/v1beta1"
    kind: Literal["PodMetrics"] = "PodMetrics"
    timestamp: Time
    """When it was reported: the end of the window."""
    window: str
    """How long the window is over which the processors are the mean, such as 15s."""
    containers: Annotated[Listed[ContainerMetrics], ListMap("name"), Field(min_length=1)]
    """Always one."""


def metrics_of(
    usage: InstanceUsage, *, entry: str, labels: Mapping[str, str], received_at: str, window_seconds: float
) -> Body | None:
    """The metrics of a pod in wire form; None as long as there was only one look, which tells no rate."""
    if usage.cpu is None:
        return None
    seconds = parse_time(received_at)
    return {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {
            "name": usage.name,
            "namespace": usage.namespace,
            "creationTimestamp": format_time(seconds),
            "labels": dict(labels),
        },
        "timestamp": format_time(seconds),
        "window": f"{window_seconds:.3f}s",
        "containers": [
            {
                "name": entry,
                "usage": {"cpu": f"{round(usage.cpu * 1e9)}n", "memory": f"{usage.memory_bytes // 1024}Ki"},
            }
        ],
    }


def _used(what: str, body: Body, now: datetime) -> str:
    return str(body["containers"][0]["usage"][what])


POD_METRICS = VIEWS.register(
    View(
        model=PodMetrics,
        plural="pods",
        verbs=("get", "list"),
        columns=(
            NAME,
            Column("CPU", lambda body, now: _used("cpu", body, now), description="Processors."),
            Column("Memory", lambda body, now: _used("memory", body, now), description="Resident memory."),
            Column("Window", lambda body, now: str(body["window"]), description="What the processors are the mean of."),
        ),
        source=ASSIGNMENTS,
        selectable=("spec.nodeName",),
    )
)
