"""From a task to the assignments that fill its slots. Pure, so that whoever expands gets the same objects.

A slot is (task, entry, home, ordinal). Names are derived from slot, template and attempt, which makes a
repeated create harmless; an attempt is never used twice in a slot, which keeps names from coming back.
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice

import orjson

from apiserver.api.kinds.app import App, artifact_path, artifact_url
from apiserver.api.kinds.assignment import (
    ENTRY_LABEL,
    NODE_LABEL,
    RESTARTED_AT,
    STOPPED_FINALIZER,
    TASK_LABEL,
    Assignment,
    AssignmentSpec,
    Template,
)
from apiserver.api.kinds.task import Entry, EntryStatus, Task
from apiserver.api.meta import ObjectMeta, OwnerReference, is_label_value

TASK_CONTROLLER = "plum-task-controller"
"""The field manager that creates assignments, whoever expands."""

ATTEMPTS_PER_GENERATION = 1_000_000
"""Attempts of a generation start at this many times its number. Were they to start at the number itself,
a slot that was refilled often, emptied, and filled again later would get an attempt, and a name, back. What can
still come back is the name of a copy that vanished while no controller was looking; its uid does not."""

_BLOB_PATH = re.compile(r"/artifacts/sha256/([0-9a-f]{64})")


@dataclass(frozen=True)
class Artifact:
    """The very bytes an entry runs, and where nodes fetch them."""

    url: str
    sha256: str
    app_name: str = ""
    app_version: str = ""


@dataclass(frozen=True)
class Missing:
    """An entry whose artifact cannot be told; ``message`` says why and what to do."""

    entry: str
    message: str


@dataclass(frozen=True)
class Resolution:
    """What each entry runs, by the entry's name, and which entries nothing was found for."""

    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()


def resolve(task: Task, apps: Iterable[App]) -> Resolution:
    """Find the artifact of every entry, keeping to the digests pinned for the present generation.

    ``apps`` may be those of all namespaces. While ``status.observedGeneration`` is the task's generation a
    pinned entry stays as it is, whatever was pushed since; an app reference without a pin means the newest
    upload of that name and version, or the one with the entry's ``sha256``.
    """
    namespace = task.metadata.namespace
    uploads = defaultdict[tuple[str, str], list[App]](list)
    files: dict[str, App] = {}
    for app in apps:
        if app.metadata.namespace == namespace:
            uploads[app.spec.name, app.spec.version].append(app)
            files[artifact_url(app.spec.name, app.spec.version, app.spec.sha256)] = app
    pins = _pins(task)
    artifacts: dict[str, Artifact] = {}
    missing: list[Missing] = []
    for entry in task.spec.entries:
        found = _resolve_entry(entry, pins.get(entry.name), uploads, files, namespace or "")
        if isinstance(found, Artifact):
            artifacts[entry.name] = found
        else:
            missing.append(found)
    return Resolution(artifacts, tuple(missing))


def _pins(task: Task) -> dict[str, EntryStatus]:
    if task.status.observed_generation != (task.metadata.generation or 0):
        return {}
    return {status.name: status for status in task.status.entries if status.sha256}


def _resolve_entry(
    entry: Entry,
    pin: EntryStatus | None,
    uploads: Mapping[tuple[str, str], Sequence[App]],
    files: Mapping[str, App],
    namespace: str,
) -> Artifact | Missing:
    if pin is not None:
        name, version = (entry.app.name, entry.app.version) if entry.app else ("", "")
        return Artifact(pin.artifact_url, pin.sha256, name, version)
    if entry.app is not None:
        return _newest_upload(entry, uploads.get((entry.app.name, entry.app.version), ()), namespace)
    return _at_address(entry, entry.artifact_url or "", files)


def _at_address(entry: Entry, url: str, files: Mapping[str, App]) -> Artifact:
    """What is at an address. Where nothing tells its digest, nodes take what they find there."""
    blob = _BLOB_PATH.fullmatch(url)
    known = files.get(url)
    return Artifact(url, entry.sha256 or (blob[1] if blob else known.spec.sha256 if known else ""))


def _newest_upload(entry: Entry, uploads: Sequence[App], namespace: str) -> Artifact | Missing:
    matching = [app for app in uploads if entry.sha256 in (None, app.spec.sha256)]
    if entry.app is None or not matching:
        wanted = f"{entry.app.name}:{entry.app.version}" if entry.app else ""
        digest = f" with sha256 {entry.sha256}" if entry.sha256 else ""
        return Missing(
            entry.name,
            f"entry {entry.name}: app {wanted}{digest} is not in namespace {namespace}; "
            "push it with 'plumctl app push'",
        )
    newest = max(matching, key=_age)
    return Artifact(artifact_path(newest.spec.sha256), newest.spec.sha256, entry.app.name, entry.app.version)


def _age(app: App) -> tuple[str, str]:
    created = app.metadata.creation_timestamp
    return (created.isoformat() if created else ""), app.metadata.name


def template_of(entry: Entry, artifact: Artifact, restarted_at: str) -> Template:
    """What a node needs of the entry; another template is another assignment."""
    return Template(
        artifact_url=artifact.url,
        sha256=artifact.sha256,
        app_name=artifact.app_name,
        app_version=artifact.app_version,
        start_cmd=entry.start_cmd,
        env=entry.env,
        ports=entry.ports,
        services=entry.services,
        restart_policy=entry.restart_policy,
        termination_grace_period_seconds=entry.termination_grace_period_seconds,
        stop_signal=entry.stop_signal,
        depends_on=entry.depends_on,
        probes=entry.probes,
        logs=entry.logs,
        restarted_at=restarted_at,
    )


def wanted_template(task: Task, entry: Entry, artifact: Artifact) -> Template:
    """The template that the entry's copies should have now."""
    return template_of(entry, artifact, task.metadata.annotations.get(RESTARTED_AT, ""))


def template_hash(template: Template) -> str:
    """16 hexadecimal digits. Defaults do not count, so that a new field with a default rolls no task."""
    body = template.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def assignment_name(
    task_uid: str, task: str, entry: str, *, home: str, ordinal: int, template_hash: str, attempt: int
) -> str:
    """``<task>-<entry>-<8 base32 characters>``: at most 63 characters, a DNS label."""
    identity = orjson.dumps([task_uid, entry, home, ordinal, template_hash, attempt])
    suffix = base64.b32encode(hashlib.sha256(identity).digest()[:5]).decode().lower()
    return f"{task}-{entry}-{suffix}"


def is_live(assignment: Assignment) -> bool:
    """Whether the copy counts: nobody has asked for its deletion."""
    return assignment.metadata.deletion_timestamp is None


def wanted_labels(task: str, entry: Entry, node: str) -> dict[str, str]:
    """The labels of an entry's copy; the node's only where its name can be a label value."""
    named = {NODE_LABEL: node} if node and is_label_value(node) else {}
    return {**entry.labels, TASK_LABEL: task, ENTRY_LABEL: entry.name, **named}


def expand(task: Task, artifacts: Mapping[str, Artifact], assignments: Sequence[Assignment]) -> list[Assignment]:
    """The assignments that must be created so that every slot is filled.

    ``assignments`` are all that the task controls, those under deletion included: a new one follows the one
    it replaces. Entries without an artifact get none. Empty when all slots are filled.
    """
    groups = group(assignments)
    created: list[Assignment] = []
    for entry in task.spec.entries:
        if artifact := artifacts.get(entry.name):
            for home, wanted in entry.counts().items():
                copies = groups.get((entry.name, home), Group())
                created += fill(task, entry, artifact, home, wanted - len(copies.live), copies)
    return created


@dataclass
class Group:
    """The copies of one entry at one home."""

    live: list[Assignment] = field(default_factory=list)
    leaving: list[Assignment] = field(default_factory=list)
    """Under deletion, or about to be."""


def group(assignments: Iterable[Assignment]) -> dict[tuple[str, str], Group]:
    """Assignments by (entry, home)."""
    groups = defaultdict[tuple[str, str], Group](Group)
    for assignment in assignments:
        copies = groups[assignment.spec.entry, assignment.spec.home]
        (copies.live if is_live(assignment) else copies.leaving).append(assignment)
    return dict(groups)


def fill(task: Task, entry: Entry, artifact: Artifact, home: str, number: int, copies: Group) -> list[Assignment]:
    """That many new copies at a home: first where one is leaving, then in the lowest slots without a live one."""
    if number <= 0:
        return []
    template = wanted_template(task, entry, artifact)
    visible = sorted([*copies.live, *copies.leaving], key=lambda a: a.spec.attempt)
    newest = {a.spec.ordinal: a for a in visible}
    taken = {a.spec.ordinal for a in copies.live}
    vacated = sorted({a.spec.ordinal for a in copies.leaving} - taken)
    unused = (ordinal for ordinal in count() if ordinal not in newest)
    blueprint = _Blueprint(task, entry, home, template, template_hash(template))
    return [blueprint.copy(ordinal, newest.get(ordinal)) for ordinal in islice(chain(vacated, unused), number)]


@dataclass(frozen=True)
class _Blueprint:
    """What the new copies of a group have in common."""

    task: Task
    entry: Entry
    home: str
    template: Template
    template_hash: str

    def copy(self, ordinal: int, predecessor: Assignment | None) -> Assignment:
        meta, state = self.task.metadata, self.task.spec.state
        attempt = (meta.generation or 0) * ATTEMPTS_PER_GENERATION
        desired = state
        if predecessor is not None:
            attempt = max(attempt, predecessor.spec.attempt + 1)
            if predecessor.spec.task_state == state:
                desired = predecessor.spec.desired
        name = assignment_name(
            meta.uid or "",
            meta.name,
            self.entry.name,
            home=self.home,
            ordinal=ordinal,
            template_hash=self.template_hash,
            attempt=attempt,
        )
        return Assignment(
            metadata=ObjectMeta(
                name=name,
                namespace=meta.namespace,
                labels=wanted_labels(meta.name, self.entry, self.home),
                owner_references=(owner_reference(self.task),),
                finalizers=(STOPPED_FINALIZER,),
            ),
            spec=AssignmentSpec(
                task_name=meta.name,
                entry=self.entry.name,
                home=self.home,
                ordinal=ordinal,
                attempt=attempt,
                replaces=predecessor.metadata.name if predecessor else "",
                node_name=self.home,
                desired=desired,
                task_state=state,
                template=self.template,
                template_hash=self.template_hash,
            ),
        )


def renewed(copy: Assignment, task_uid: str, attempt: int) -> Assignment:
    """The same copy as a later attempt, hence of another name."""
    spec = copy.spec.model_copy(update={"attempt": attempt})
    name = assignment_name(
        task_uid,
        spec.task_name,
        spec.entry,
        home=spec.home,
        ordinal=spec.ordinal,
        template_hash=spec.template_hash,
        attempt=attempt,
    )
    return copy.model_copy(update={"metadata": copy.metadata.model_copy(update={"name": name}), "spec": spec})


def owner_reference(task: Task) -> OwnerReference:
    """What makes the task an assignment's controller; a foreground deletion of the task waits for it."""
    return OwnerReference(
        api_version=task.api_version,
        kind=task.kind,
        name=task.metadata.name,
        uid=task.metadata.uid or "",
        controller=True,
        block_owner_deletion=True,
    )
