"""What a pod looks like: as much of Kubernetes' Pod as an assignment can fill."""

from typing import Annotated, Any, Literal

from pydantic import Field

from apiserver.api.meta import Listed, ListMap, Model, Resource, Status, Time, is_empty
from apiserver.api.views.pod_states import PodPhase

Text = Annotated[str, Field(exclude_if=is_empty)]


class ContainerPort(Model):
    """A port of the entry. A port without a fixed number is shown with the one that the process got."""

    name: Text = ""
    """The port's name."""
    container_port: int
    """The number on the node."""
    protocol: str = "TCP"
    """Always TCP."""


class EnvVar(Model):
    """An environment variable that the entry sets."""

    name: str
    """Its name."""
    value: Text = ""
    """Its value."""


class Container(Model):
    """What runs: the program of one entry. There is no image; the process runs on the node itself."""

    name: str
    """The entry's name."""
    image: str
    """The app as name:version, or the address of its archive."""
    command: Listed[str] = ()
    """What is run, in the instance's own folder."""
    ports: Annotated[Listed[ContainerPort], ListMap("containerPort", "protocol")] = ()
    """What it listens on, as far as the numbers are known."""
    env: Annotated[Listed[EnvVar], ListMap("name")] = ()
    """What the entry sets of its environment."""
    resources: dict[str, Any] = Field(default_factory=dict)
    """Always empty: processes are not limited."""


class PodSpec(Model):
    """What the pod is to run, and where."""

    containers: Annotated[tuple[Container, ...], ListMap("name")]
    """Always one."""
    node_name: Text = ""
    """The node that it is on; empty until it is placed."""
    restart_policy: str = "Always"
    """When an ended process is started again: Always, OnFailure or Never."""
    termination_grace_period_seconds: int = 5
    """Seconds between the stop signal and KILL."""


class ContainerStateWaiting(Model):
    """It does not run yet, or not again."""

    reason: Text = ""
    """Such as ContainerCreating, CrashLoopBackOff, or Stopped for what people have stopped."""
    message: Text = ""
    """The reason in words."""


class ContainerStateRunning(Model):
    """It runs."""

    started_at: Time | None = None
    """When it was started."""


class ContainerStateTerminated(Model):
    """It has ended."""

    exit_code: int
    """The exit code; 128 and the signal's number where a signal ended it."""
    signal: int | None = None
    """The signal that ended it, if one did."""
    reason: Text = ""
    """Completed, Error, StartError, or ContainerStatusUnknown."""
    message: Text = ""
    """How it ended, in words."""
    started_at: Time | None = None
    """When it was started."""
    finished_at: Time | None = None
    """When it ended."""


class ContainerState(Model):
    """Where a container stands: one of the three."""

    waiting: ContainerStateWaiting | None = None
    """It does not run."""
    running: ContainerStateRunning | None = None
    """It runs."""
    terminated: ContainerStateTerminated | None = None
    """It has ended."""


class ContainerStatus(Model):
    """What is known of the container."""

    name: str
    """The entry's name."""
    image: str
    """As in the spec."""
    image_id: Annotated[str, Field(alias="imageID")] = ""
    """The digest of the app's archive."""
    container_id: Annotated[str, Field(alias="containerID", exclude_if=is_empty)] = ""
    """The process, while it runs: process://PID."""
    ready: bool = False
    """Whether it may be used, as its probes say."""
    started: bool = False
    """Whether it runs."""
    restart_count: int = 0
    """How often it was started again."""
    state: ContainerState = ContainerState()
    """Where it stands."""
    last_state: Annotated[ContainerState, Field(exclude_if=lambda state: state == ContainerState())] = ContainerState()
    """How its last run ended."""


class PodCondition(Model):
    """One observation: PodScheduled, Initialized, ContainersReady or Ready."""

    type: str
    """Which."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Text = ""
    """Why not, for programs."""
    message: Text = ""
    """Why not, for people."""
    last_transition_time: Time | None = None
    """When the status changed last."""


class PodIP(Model):
    """An address of the pod."""

    ip: str
    """The node's: processes have no address of their own."""


class PodStatus(Status):
    """What is known of the pod."""

    phase: PodPhase = "Pending"
    """Pending, Running, Succeeded, Failed or Unknown, as Kubernetes defines them."""
    reason: Text = ""
    """NodeLost while nobody hears of its node."""
    message: Text = ""
    """The reason in words."""
    host_ip: Annotated[str, Field(alias="hostIP", exclude_if=is_empty)] = ""
    """The node's address."""
    pod_ip: Annotated[str, Field(alias="podIP", exclude_if=is_empty)] = ""
    """The same: processes have no address of their own."""
    pod_ips: Annotated[tuple[PodIP, ...], ListMap("ip"), Field(alias="podIPs", exclude_if=is_empty)] = ()
    """The same as a list."""
    start_time: Time | None = None
    """When the assignment was made."""
    conditions: Annotated[Listed[PodCondition], ListMap("type")] = ()
    """PodScheduled, Initialized, ContainersReady and Ready."""
    container_statuses: Annotated[Listed[ContainerStatus], ListMap("name")] = ()
    """One, as soon as the pod has a node."""
    qos_class: str = "BestEffort"
    """Always BestEffort."""


class Pod(Resource):
    """An assignment in the form of a pod."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Pod"] = "Pod"
    spec: PodSpec
    """What it is to run, and where."""
    status: PodStatus = PodStatus()
    """What is known of it."""
