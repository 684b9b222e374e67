"""A large fleet without a process: objects and statuses as people, controllers and agents would write them.

What controllers decide is decided by their own pure functions, so that names, templates, endpoints and conditions are
what a real fleet of that size would have.
"""

import hashlib
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apiserver.api.expansion import TASK_CONTROLLER, expand, resolve
from apiserver.api.kinds.app import App, artifact_path
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.task import Task
from apiserver.api.meta import format_time
from controllers import scheduler
from controllers.scheduling import Bind, Unplaced, plan
from controllers.task_status import summarize
from tests.browser.worlds import discovery, mishaps, wanted
from tests.browser.worlds.apps import zipped
from tests.browser.worlds.bodies import as_if_ready, body_of, bound, node_status, with_status
from tests.browser.worlds.door import Door, Json, app_body, node_body, open_door, task_body
from tests.browser.worlds.mass import Mass, mass_of
from tests.browser.worlds.mishaps import Look, Make
from tests.browser.worlds.stories import events_of, node_events

CROWD_PORT = 8443
"""A fixed port of a task that wants more copies than there are nodes."""


@dataclass
class Filler:
    """Fills one empty server."""

    door: Door
    mass: Mass
    rng: random.Random
    size: wanted.Size
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    troubled: Mapping[str, tuple[Make, bool]] = field(default_factory=dict)

    def fill(self) -> None:
        """Everything, in the order in which it comes about."""
        machines = {machine.name: machine for machine in wanted.machines(self.size)}
        programs = wanted.programs(self.rng, self.size)
        self._push(programs)
        self._nodes(list(machines.values()))
        bodies = wanted.tasks(self.rng, self.size, programs)
        self.troubled = mishaps.draw(self.rng, bodies)
        list(self.mass.create("tasks", [*bodies, *self._odd(programs[0])]))
        self._release(bodies, {program.name: program for program in programs})
        unplaced = self._assignments()
        self._roll_out()
        copies = [Assignment.from_body(body) for body in self.door.items("assignments")]
        self._report(copies, machines)
        self._tell_unplaced(copies, unplaced)
        copies = [Assignment.from_body(body) for body in self.door.items("assignments")]
        self._summarize(copies)
        discovery.fill(self.door, self.mass, copies, self.now)
        tasks = [Task.from_body(body) for body in self.door.items("tasks")]
        nodes = [Node.from_body(body) for body in self.door.items("nodes")]
        told = [*events_of(self.rng, tasks, copies, self.now), *node_events(nodes, self.now)]
        list(self.mass.create("events", told))

    def _push(self, programs: list[wanted.Program]) -> None:
        archives: dict[str, bytes] = {}
        bodies = []
        for program, version in ((one, version) for one in programs for version in one.versions):
            meta = f"name={program.name}\nversion={version}\n"
            archive = zipped({"meta.ini": meta, "start.sh": "#!/bin/sh\nexec ./serve\n"})
            digest = hashlib.sha256(archive).hexdigest()
            archives[artifact_path(digest)] = archive
            offered = ({"name": program.name, "protocol": "http", "port": 8080},) if program.what == "web" else ()
            # The size is what such a program would have; nobody downloads it.
            size = self.rng.randint(2_000_000, 180_000_000)
            bodies.append(app_body(program.name, version, digest, size, offered))
        self.mass.put(archives.items())
        list(self.mass.create("apps", bodies))

    def _nodes(self, machines: list[wanted.Machine]) -> None:
        bodies = []
        for machine in machines:
            labels = {"zone": machine.zone, "role": machine.role, "disk": self.rng.choice(("ssd", "nvme"))}
            bodies.append(node_body(machine.name, labels, unschedulable=machine.state == wanted.CORDONED))
        list(self.mass.create("nodes", bodies))
        statuses = (with_status("Node", machine.name, node_status(machine, self.now)) for machine in machines)
        list(self.mass.apply_status("nodes", statuses, "plum-agent"))

    def _odd(self, program: wanted.Program) -> Iterator[Json]:
        """What cannot be placed."""
        app = {"name": program.name, "version": program.versions[-1]}
        crowd: Json = {
            "name": "main",
            "app": app,
            "replicas": self.size.nodes + 2,
            "ports": [{"name": "tls", "port": CROWD_PORT}],
        }
        if self.size.nodes > 29:
            yield task_body("edge-proxy", crowd, labels={"team": "platform", "tier": "infra"})
        nowhere: Json = {"name": "main", "app": app, "nodeReplicas": {"fra1-gpu-01": 2}}
        yield task_body("media-transcoder", nowhere, labels={"team": "media", "tier": "infra"})
        unknown: Json = {"name": "main", "app": {"name": program.name, "version": "99.0.0"}}
        yield task_body("pricing-next", unknown, labels={"team": "pricing", "tier": "infra"})

    def _release(self, bodies: list[Json], programs: Mapping[str, wanted.Program]) -> None:
        """Some tasks have a past: an older version ran before."""
        for body in bodies:
            entry = body["spec"]["entries"][0]
            program = programs[entry["app"]["name"]]
            if program.versions[0] != entry["app"]["version"] and self.rng.random() < 0.4:
                name = body["metadata"]["name"]
                for version in (program.versions[0], entry["app"]["version"]):
                    entries = [
                        one | {"app": {"name": program.name, "version": version}} for one in body["spec"]["entries"]
                    ]
                    self.door.merge("tasks", name, {"spec": {"entries": entries}})

    def _roll_out(self) -> None:
        """Those whose copies are being prepared have just been changed."""
        for name, (make, _) in self.troubled.items():
            if make is mishaps.preparing and (task := self.door.get("tasks", name)) is not None:
                for entry in task["spec"]["entries"]:
                    entry["env"] = [*entry.get("env", ()), {"name": "FEATURES", "value": "new-checkout"}]
                self.door.merge("tasks", name, {"spec": {"entries": task["spec"]["entries"]}})

    def _assignments(self) -> dict[str, Unplaced]:
        """Create them, placed where they can be; the others, by name."""
        apps = [App.from_body(body) for body in self.door.items("apps")]
        nodes = [Node.from_body(body) for body in self.door.items("nodes")]
        made: dict[str, Assignment] = {}
        for body in self.door.items("tasks"):
            task = Task.from_body(body)
            made |= {copy.metadata.name: copy for copy in expand(task, resolve(task, apps).artifacts, [])}
        pending = [copy for copy in made.values() if not copy.spec.node_name]
        unplaced = {}
        # The lost node had its share before it fell silent.
        everywhere = [as_if_ready(node) for node in nodes if not node.spec.unschedulable]
        for decision in plan(pending, everywhere, made.values()):
            if isinstance(decision, Bind):
                made[decision.assignment.metadata.name] = bound(decision)
            else:
                unplaced[decision.assignment.metadata.name] = decision
        list(self.mass.create("assignments", (body_of(copy) for copy in made.values())))
        return unplaced

    def _report(self, copies: list[Assignment], machines: Mapping[str, wanted.Machine]) -> None:
        by_node = defaultdict[str, list[Json]](list)
        ordinals = itertools.count()
        spoilt: set[str] = set()
        for copy in copies:
            machine = machines.get(copy.spec.node_name)
            if machine is None:
                continue
            look = Look(copy, random.Random(next(ordinals)), self.now, machine.ip)
            status = self._fate(copy, machine, spoilt)(look)
            meta = copy.metadata
            by_node[machine.name].append({"namespace": "default", "name": meta.name, "uid": meta.uid, "status": status})
        for node, statuses in by_node.items():
            self.mass.report(node, statuses)

    def _fate(self, copy: Assignment, machine: wanted.Machine, spoilt: set[str]) -> Make:
        if machine.state == wanted.LOST:
            return mishaps.silent
        if copy.spec.desired == "Stopped":
            return mishaps.stopped
        task = copy.spec.task_name
        make, whole = self.troubled.get(task, (mishaps.well, True))
        if task in self.troubled and copy.spec.template.depends_on and make is not mishaps.preparing:
            return mishaps.waiting
        if task in self.troubled and (whole or task not in spoilt):
            spoilt.add(task)
            return make
        return mishaps.completed if copy.spec.template.restart_policy != "Always" else mishaps.well

    def _tell_unplaced(self, copies: list[Assignment], unplaced: Mapping[str, Unplaced]) -> None:
        since = format_time(self.now)
        bodies = []
        for copy in copies:
            if (decision := unplaced.get(copy.metadata.name)) is not None:
                placed = {"type": "Placed", "status": "False", "reason": decision.reason, "message": decision.message}
                status = {"phase": "Pending", "conditions": [placed | {"lastTransitionTime": since}]}
                bodies.append(with_status("Assignment", copy.metadata.name, status))
        list(self.mass.apply_status("assignments", bodies, scheduler.MANAGER))

    def _summarize(self, copies: list[Assignment]) -> None:
        apps = [App.from_body(body) for body in self.door.items("apps")]
        nodes = {body["metadata"]["name"] for body in self.door.items("nodes")}
        by_task = defaultdict[str, list[Assignment]](list)
        for copy in copies:
            by_task[copy.spec.task_name].append(copy)
        bodies = []
        for body in self.door.items("tasks"):
            task = Task.from_body(body)
            mine = by_task[task.metadata.name]
            absent = {copy.spec.node_name for copy in mine if copy.spec.node_name} - nodes
            status = summarize(task, mine, resolve(task, apps), now=self.now, absent=absent)
            told = status.model_dump(mode="json", by_alias=True, exclude_none=True)
            bodies.append(with_status("Task", task.metadata.name, told))
        list(self.mass.apply_status("tasks", bodies, TASK_CONTROLLER))


def fill(url: str, *, seed: int = 7, size: wanted.Size | None = None) -> None:
    """Fill an empty server."""
    with open_door(url) as door:
        Filler(door, mass_of(url), random.Random(seed), size or wanted.Size()).fill()
