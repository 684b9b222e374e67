"""Task: which entries of which apps should run, how many and where."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from apiserver.api import start_order
from apiserver.api.columns import AGE, NAME
from apiserver.api.errors import Cause
from apiserver.api.kinds import probe
from apiserver.api.kinds.ports import PortName, PortReference
from apiserver.api.kinds.probe import NO_PROBES, Probes, asks_nothing
from apiserver.api.kinds.task_scale import TASK_SCALING
from apiserver.api.meta import (
    Body,
    Conditions,
    FilledIn,
    Labels,
    Listed,
    ListMap,
    ListSet,
    Model,
    Resource,
    Status,
    is_dns_label,
    is_empty,
    is_label_value,
    is_qualified_name,
)
from apiserver.api.quantities import Quantity, format_bytes, whole
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig

TASK_NAME_LENGTH = 40
ENTRY_NAME_LENGTH = 13
MAX_COPIES = 10_000
"""The most copies one entry may ask for."""

MIN_LOG_SIZE, MAX_LOG_SIZE = 64 * 1024, 1024**4

State = Literal["Running", "Stopped"]
StopSignal = Literal["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "KILL"]
RestartPolicy = Literal["Always", "OnFailure", "Never"]
NODE_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_node_name(text: str) -> bool:
    """``[A-Za-z0-9._-]{1,63}``, but neither ``.`` nor ``..``: names become folders."""
    return NODE_NAME.fullmatch(text) is not None and text not in (".", "..")


def is_app_text(text: str) -> bool:
    """Whether a text can be an app's name or version: it becomes part of names and addresses."""
    return text.isprintable() and "/" not in text and "\\" not in text


def _app_text(text: str) -> str:
    if not is_app_text(text):
        raise ValueError("must have no slash and no control character")
    return text


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character: no process can be given one")
    return text


AppText = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_app_text)]


def _env_name(text: str) -> str:
    if not _ENV_NAME.fullmatch(text):
        raise ValueError("must be letters, digits and '_', not starting with a digit")
    if text.startswith("PLUM_"):
        raise ValueError("names that start with PLUM_ are set by the agent")
    return text


def _entry_name(text: str) -> str:
    if not is_dns_label(text, longest=ENTRY_NAME_LENGTH):
        raise ValueError(
            f"must be a DNS label (lowercase letters, digits, '-') of at most {ENTRY_NAME_LENGTH} characters"
        )
    return text


def _node_counts(counts: dict[str, int]) -> dict[str, int]:
    for node, count in counts.items():
        if not is_node_name(node):
            raise ValueError(f"{node!r} is not a node name ([A-Za-z0-9._-], at most 63 characters)")
        if not 0 <= count <= MAX_COPIES:
            raise ValueError(f"{node}: must be between 0 and {MAX_COPIES}, not {count}")
    return counts


def _entry_labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not is_qualified_name(key) or not is_label_value(value):
            raise ValueError(f"{key!r}: {value!r} is not a label")
        if key.startswith("plum.dev/"):
            raise ValueError(f"{key!r}: labels under plum.dev/ are set by the controller")
    return labels


def _artifact_url(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must have no control character")
    parts = urlsplit(text)
    relative = not parts.scheme and not parts.netloc and text.startswith("/")
    if not relative and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValueError("must be an http(s) URL, or a path of this server that starts with '/'")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port must be a number of at most 65535") from None
    return text


SHA256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _service_name(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must have no control character, and no blank at its ends")
    return text


def _protocol(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,31}", text):
        raise ValueError("must be letters, digits and '.+-', at most 32 characters, for example http")
    return text


ServiceName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_service_name)]
Protocol = Annotated[str, AfterValidator(_protocol)]


class AppReference(Model):
    """An uploaded app by name and version; the newest upload of the pair is meant."""

    name: AppText
    """The name of the app, as its ``meta.ini`` says it."""
    version: AppText
    """The version of the app, as its ``meta.ini`` says it."""


class EnvVar(Model):
    """One environment variable."""

    name: Annotated[str, AfterValidator(_env_name)]
    """Letters, digits and ``_``, not starting with a digit. Names that start with ``PLUM_`` are set by the agent."""
    value: Annotated[str, Field(max_length=32768), AfterValidator(_no_nul)] = ""
    """The value, as it is; nothing in it is expanded."""


class Port(Model):
    """A port that the app listens on; it reads the number from ``PLUM_PORT_<NAME>``."""

    name: PortName
    """The name of the port: lowercase letters, digits and ``-``, at most 15 characters."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """A fixed number; without one the agent picks a free port of its range."""


class OfferedService(Model):
    """A service that every copy of the entry offers."""

    name: ServiceName
    """The name under which the copies are found."""
    port: PortReference
    """A number, or the name of one of the entry's ports."""
    protocol: Protocol = "tcp"
    """What is spoken there, for example http."""
    version: Annotated[str, Field(max_length=128, exclude_if=is_empty)] = ""
    """Empty: the app's."""


def _log_size(text: str) -> str:
    if not MIN_LOG_SIZE <= whole(text) <= MAX_LOG_SIZE:
        raise ValueError(f"must be between {format_bytes(MIN_LOG_SIZE)} and {format_bytes(MAX_LOG_SIZE)}, not {text}")
    return text


class Logs(Model):
    """How much is kept on the node of what a copy writes: ``maxFiles`` rotated files of about ``maxSize``, and the
    present one."""

    max_size: Annotated[Quantity, AfterValidator(_log_size)] = "10Mi"
    """The size at which the log is rotated, between 64Ki and 1Ti."""
    max_files: Annotated[int, Field(ge=1, le=100)] = 5
    """How many rotated files are kept."""

    @property
    def max_size_bytes(self) -> int:
        """The size as a number."""
        return whole(str(self.max_size))


class Entry(Model):
    """One program of the task: what to run, how many copies, and where."""

    name: Annotated[str, AfterValidator(_entry_name), FilledIn()]
    """Unique within the task; by default main, main-2, …"""
    app: AppReference | None = None
    """The app to run; or give ``artifactUrl``."""
    artifact_url: Annotated[str, Field(max_length=2048), AfterValidator(_artifact_url)] | None = None
    """A zip to run: a path of this server or an http(s) URL. Give ``sha256`` with it unless it is an upload's: else
    nodes take what they find there, which may differ from one to the next."""
    sha256: SHA256 | None = None
    """The digest that the artifact must have."""
    start_cmd: Annotated[str, Field(max_length=32768), AfterValidator(_no_nul), Field(exclude_if=is_empty)] = ""
    """Run by ``/bin/sh -c`` in the instance's own folder; empty means ``./start.sh``."""
    replicas: Annotated[int, Field(ge=0, le=MAX_COPIES)] | None = None
    """How many copies the scheduler places; 1 if ``nodeReplicas`` is not given either."""
    node_replicas: Annotated[dict[str, int], Field(exclude_if=is_empty), AfterValidator(_node_counts)] = {}
    """How many copies run on which node; instead of ``replicas``."""
    # A process has one variable of a name, so that managers can each set their own.
    env: Annotated[Listed[EnvVar], ListMap("name")] = ()
    """Environment variables."""
    # By name, not by number: a port need not have one, and what refers to it does so by name.
    ports: Annotated[Listed[Port], ListMap("name"), Field(max_length=32)] = ()
    """Ports the app listens on."""
    # By name: an entry that is found under a name is so on one port.
    services: Annotated[Listed[OfferedService], ListMap("name"), Field(max_length=32)] = ()
    """What the copies are found under, besides what the app's ``meta.ini`` says; a name in both means this one."""
    labels: Annotated[Labels, AfterValidator(_entry_labels)] = {}
    """Labels of the entry's assignments."""
    restart_policy: RestartPolicy = "Always"
    """When an ended process is started again."""
    termination_grace_period_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    """Seconds between the stop signal and KILL."""
    stop_signal: StopSignal = "TERM"
    """The signal that asks the process group to end."""
    # Their order means nothing, and naming one twice says nothing more.
    depends_on: Annotated[Listed[str], ListSet(), Field(max_length=32)] = ()
    """Entries of this task that must be ready, or have completed, before a copy of this one starts."""
    probes: Annotated[Probes, Field(exclude_if=asks_nothing)] = NO_PROBES
    """How it is found out whether a copy has started, is ready and is alive."""
    logs: Logs | None = None
    """How much is kept of what the copies write; by default 5 rotated files of 10Mi."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.app is None) == (self.artifact_url is None):
            raise ValueError("give exactly one of app and artifactUrl")
        return self

    @model_validator(mode="after")
    def _one_count(self) -> Self:
        if self.replicas is not None and self.node_replicas:
            raise ValueError("give replicas (the scheduler places) or nodeReplicas (you place), not both")
        return self

    def counts(self) -> dict[str, int]:
        """Copies by home: the node names of ``nodeReplicas``, or the empty home for the scheduler's."""
        return dict(self.node_replicas) or {"": 1 if self.replicas is None else self.replicas}


class Strategy(Model):
    """How many copies of an entry a rollout may take away or add at a time."""

    max_unavailable: Annotated[int, Field(ge=0)] = 1
    """How many copies of an entry may be missing during a rollout."""
    max_surge: Annotated[int, Field(ge=0)] = 0
    """How many copies more than wanted there may be during a rollout."""

    @model_validator(mode="after")
    def _can_progress(self) -> Self:
        if self.max_unavailable == self.max_surge == 0:
            raise ValueError("maxUnavailable and maxSurge may not both be 0: a rollout could never begin")
        return self


class TaskSpec(Model):
    """What should run."""

    state: State = "Running"
    """Stopped keeps the assignments and stops their processes."""
    # One manager may scale an entry, another deploy it, a third bring an entry of its own.
    entries: Annotated[tuple[Entry, ...], ListMap("name"), Field(min_length=1, max_length=64)]
    """The programs of the task, by name."""
    strategy: Strategy = Strategy()
    """How a changed entry is rolled out."""


class EntryStatus(Model):
    """Where one entry stands."""

    name: str
    """The name of the entry."""
    desired: int = 0
    """How many copies are wanted."""
    running: int = 0
    """How many copies have a running process."""
    ready: int = 0
    """How many copies are ready."""
    sha256: str = ""
    """The artifact's digest, pinned when the spec changed last."""
    artifact_url: str = ""
    """Where nodes fetch that artifact."""


class TaskStatus(Status):
    """What is known about the task."""

    observed_generation: int = 0
    """The ``metadata.generation`` that the status is about; smaller than that while a change has not been seen yet."""
    replicas: int = 0
    """How many copies there are, of all entries."""
    ready_replicas: int = 0
    """How many copies are ready."""
    updated_replicas: int = 0
    """How many copies have what the spec says now."""
    # By name as in the spec.
    entries: Annotated[Listed[EntryStatus], ListMap("name")] = ()
    """Where each entry stands, by name."""
    selector: str = ""
    """A label selector that finds the task's assignments."""
    conditions: Conditions = ()
    """Available: every entry has enough ready copies. Progressing: False while an artifact is missing; else its reason
    says whether the rollout is complete. Placed: every copy has a node."""


class Task(Resource):
    """Keeps copies of an app's programs running."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Task"] = "Task"
    spec: TaskSpec
    """What is wanted."""
    status: TaskStatus = TaskStatus()
    """What there is, as the task controller sees it."""


def _default(body: Body) -> None:
    """Names for nameless entries: ``main``, then ``main-2`` and so on by position."""
    entries = dig(body, "spec.entries")
    for position, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        if isinstance(entry, dict) and entry.get("name") in (None, ""):
            entry["name"] = "main" if position == 1 else f"main-{position}"


def _rules(new: Body, old: Body | None) -> Sequence[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(new["spec"]["entries"]):
        where = f"spec.entries[{index}]"
        causes += _unique(f"{where}.env", entry.get("env", ()))
        causes += _unique(f"{where}.ports", entry.get("ports", ()))
        causes += _unique(f"{where}.ports", entry.get("ports", ()), key="port")
        causes += _unique(f"{where}.services", entry.get("services", ()))
        causes += _unknown_ports(where, entry)
        causes += probe.faults(f"{where}.probes", entry.get("probes", {}), _port_names(entry))
    return [*_unique("spec.entries", new["spec"]["entries"]), *causes, *start_order.causes(new["spec"]["entries"])]


def _unique(where: str, items: Sequence[dict[str, Any]], *, key: str = "name") -> list[Cause]:
    seen: set[Any] = set()
    causes = []
    for index, item in enumerate(items):
        if key not in item:
            continue
        if item[key] in seen:
            causes.append(Cause(f"{where}[{index}].{key}", f'Duplicate value: "{item[key]}"', "FieldValueDuplicate"))
        seen.add(item[key])
    return causes


def _port_names(entry: dict[str, Any]) -> set[str]:
    return {port["name"] for port in entry.get("ports", ())}


def _unknown_ports(where: str, entry: dict[str, Any]) -> Iterator[Cause]:
    names = _port_names(entry)
    for index, service in enumerate(entry.get("services", ())):
        if isinstance(service["port"], str) and service["port"] not in names:
            message = f'Invalid value: "{service["port"]}": the entry has no port of that name; list it in ports'
            yield Cause(f"{where}.services[{index}].port", message)


COUNTS = ("replicas", "nodeReplicas")
"""What of an entry says how many copies there are; a rollback leaves it alone."""


def rolled_out(body: Body) -> Any:
    """What of a task makes a revision: its entries, but for their counts. Pure."""
    return [{key: value for key, value in entry.items() if key not in COUNTS} for entry in body["spec"]["entries"]]


def _desired(body: Body) -> int:
    total = 0
    for entry in dig(body, "spec.entries") or ():
        total += sum(entry["nodeReplicas"].values()) if entry.get("nodeReplicas") else int(entry.get("replicas", 1))
    return total


def _ready(body: Body, now: datetime) -> str:
    return f"{dig(body, 'status.readyReplicas') or 0}/{_desired(body)}"


def _artifacts(body: Body, now: datetime) -> str:
    entries = dig(body, "spec.entries") or ()
    return ",".join(
        f"{e['app']['name']}:{e['app']['version']}" if e.get("app") else str(e.get("artifactUrl", "")) for e in entries
    )


TASKS = SCHEME.register(
    Kind(
        model=Task,
        plural="tasks",
        short_names=("tk",),
        categories=("all",),
        is_name=lambda name: is_dns_label(name, longest=TASK_NAME_LENGTH),
        name_rule=f"a DNS label (lowercase letters, digits, '-') of at most {TASK_NAME_LENGTH} characters",
        default=_default,
        rules=_rules,
        rolled_out=rolled_out,
        scaling=TASK_SCALING,
        columns=(
            NAME,
            Column("State", at("spec.state")),
            Column("Ready", _ready, description="Ready copies of those wanted."),
            Column("Up-to-date", at("status.updatedReplicas", default=0), "integer"),
            AGE,
            Column("Apps", _artifacts, priority=1),
            Column("Selector", at("status.selector", default=""), priority=1),
        ),
    )
)
