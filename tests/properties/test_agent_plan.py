"""Following the agent's plan converges, whatever people, apps, crashes and lost messages do in between.

The world below is the performer without I/O: each action begins, and what runs beside the plan completes
in an order of hypothesis' choosing. A crash forgets all that is not in a record or a process.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent import dependencies, sync
from agent.instances import Failure, Instance, Key, Moment, Record, Stop, recalled
from agent.offers import Declared
from agent.probes import FAILED, Health
from agent.runtime import Adopted, Exit, Process
from apiserver.api.conditions import find
from apiserver.api.kinds.assignment import RESTARTED_AT, STOPPED_FINALIZER, Assignment

BOOT = "boot"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
KEYS: list[Key] = [("default", name) for name in ("a", "b", "c", "d")]
REPLACES = {"b": "a"}
POLICIES = {"a": "Always", "b": "OnFailure", "c": "Never", "d": "Always"}
LATER = {"d": {"dependsOn": ["main"]}}
"""What starts after the others: an entry of its own."""
HEALTHS = [Health(), Health(ready=False, reason=FAILED), Health(unhealthy="liveness: answered 500")]


def new_assignment(key: Key, uid: str) -> Assignment:
    return Assignment.from_body(
        {
            "metadata": {"namespace": key[0], "name": key[1], "uid": uid, "finalizers": [STOPPED_FINALIZER]},
            "spec": {
                "taskName": "t",
                "entry": "later" if key[1] in LATER else "main",
                "nodeName": "n",
                "replaces": REPLACES.get(key[1], ""),
                "templateHash": "h",
                "template": {"artifactUrl": "/x", "sha256": "0" * 64, "restartPolicy": POLICIES[key[1]]}
                | LATER.get(key[1], {}),
            },
        }
    )


@dataclass
class World:
    """The server's objects, this node's disk and processes, and the agent's memory."""

    ticks: float = 0.0
    assignments: dict[Key, Assignment] = field(default_factory=dict)
    records: dict[Key, Record] = field(default_factory=dict)
    folders: dict[Key, str] = field(default_factory=dict)
    """By key: the uid that the folder belongs to."""
    processes: list[Process] = field(default_factory=list)
    started: dict[str, Process] = field(default_factory=dict)
    exits: dict[str, Exit] = field(default_factory=dict)
    """By run: what shims wrote down."""
    dies_in_start: bool = False
    """Whether the agent is killed in its next start, after it has written it down."""
    elsewhere: bool = True
    """Whether on other nodes what the last one depends on is ready."""
    stubborn: bool = False
    """Whether processes ignore the stop signal."""
    instances: dict[Key, Instance] = field(default_factory=dict)
    beside: list[tuple[str, sync.Action]] = field(default_factory=list)
    """Work that has begun, with the uid it was begun for."""
    created: int = 0
    pids: int = 0
    draining: bool = False

    @property
    def now(self) -> Moment:
        return Moment(self.ticks, EPOCH + timedelta(seconds=self.ticks))

    def plan(self) -> list[sync.Action]:
        for key, assignment in self.assignments.items():
            self.instances.setdefault(key, sync.newcomer(assignment))
        lacking = {key: self.lacks(key) for key in self.assignments}
        return sync.plan(self.assignments, self.instances, self.now, draining=self.draining, lacking=lacking)

    def lacks(self, key: Key) -> tuple[str, ...]:
        siblings = [(one, self.instances.get(key)) for key, one in self.assignments.items()]
        return dependencies.missing(self.assignments[key], siblings, trusting=self.elsewhere)

    def change(self, key: Key, step: Any) -> Instance:
        after: Instance = step(self.instances[key])
        self.instances[key] = after
        return after

    def save(self, key: Key) -> None:
        self.records[key] = self.instances[key].record

    def alive(self, uid: str) -> list[Process]:
        return [process for process in self.processes if process.uid == uid]

    def current(self, key: Key) -> Assignment | None:
        assignment = self.assignments.get(key)
        return assignment if assignment and assignment.metadata.uid == self.instances[key].record.uid else None

    def perform(self, action: sync.Action) -> None:
        key = action.key
        match action:
            case sync.Wait():
                return
            case sync.Start():
                self.start(action)
            case sync.Stop():
                stop = Stop(cause=action.cause, signal=action.signal, grace=action.grace)
                self.change(key, lambda i: i.stopped_by(stop, self.now))
                self.save(key)
                if not self.stubborn:
                    self.end_processes(self.instances[key].record.uid, Exit(signal=15))
            case sync.Settle():
                self.change(key, Instance.settled)
                self.save(key)
            case sync.Remember():
                self.change(key, lambda i: i.remembering(self.assignments[key]))
                if not self.instances[key].removed:
                    self.save(key)
            case sync.Forget():
                del self.instances[key]
            case _:
                self.begin(action)

    def begin(self, action: sync.Action) -> None:
        steps: dict[type, Any] = {
            sync.Prepare: lambda i: i.preparing(self.now),
            sync.Adopt: lambda i: i.occupied("adopt"),
            sync.Kill: lambda i: i.occupied("kill"),
            sync.Remove: lambda i: i.occupied("remove"),
            sync.Release: lambda i: i.occupied("release"),
            sync.Report: lambda i: i.occupied("report"),
        }
        work = type(action).__name__.lower()
        assert work not in self.instances[action.key].busy, "the same work twice"
        self.beside.append((self.change(action.key, steps[type(action)]).record.uid, action))

    def start(self, action: sync.Start) -> None:
        key = action.key
        assignment = self.assignments[key]
        record = self.instances[key].record
        assert assignment.spec.desired == "Running"
        assert assignment.metadata.deletion_timestamp is None
        assert not self.draining
        assert not self.alive(record.uid), "two processes of one assignment"
        assert self.folders.get(key) == record.uid, "started without its own folder"
        before = self.instances.get((key[0], assignment.spec.replaces))
        assert before is None or not self.alive(before.record.uid), "started beside its predecessor"
        assert not self.lacks(key), "started before what it depends on"
        wanted = assignment.metadata.annotations.get(RESTARTED_AT, "")
        number = record.run + 1
        coming = Process(uid=record.uid, boot_id=BOOT, run=f"{record.uid}/{number}")
        self.change(
            key,
            lambda i: i.starting(coming, self.now, run=number, ports={}, restarted_at=wanted, counted=action.counted),
        )
        self.save(key)
        if self.dies_in_start:
            self.dies_in_start = False
            self.crash()
            return
        self.pids += 1
        process = coming.model_copy(update={"pid": self.pids, "start_time": 1})
        assert process.run not in self.started, "a run that was started before"
        self.started[process.run] = process
        self.processes.append(process)
        self.change(key, lambda i: i.started(process, self.now))

    def end_processes(self, uid: str, exit: Exit) -> None:
        """The tree dies, and whoever watches it writes that down."""
        self.exits |= {process.run: exit for process in self.alive(uid)}
        self.processes = [process for process in self.processes if process.uid != uid]
        for key, instance in self.instances.items():
            if instance.record.uid == uid and instance.life == "up":
                self.change(key, lambda i: i.down(exit, self.now))
                self.save(key)

    def complete(self, at: int, *, success: bool) -> None:
        uid, action = self.beside.pop(at)
        key = action.key
        instance = self.instances[key]
        assert instance.record.uid == uid, "forgotten while work went on"
        match action:
            case sync.Prepare():
                self.prepared(key, uid, success=success)
            case sync.Kill():
                self.end_processes(uid, Exit(signal=9))
            case sync.Adopt():
                self.adopt(key)
            case sync.Remove() if success:
                assert not self.alive(uid), "folder removed under a living process"
                self.records.pop(key, None)
                self.folders.pop(key, None)
                self.change(key, Instance.gone)
            case sync.Release() if success:
                self.released(key, uid)
            case sync.Report():
                self.reported(key, action, success=success)
            case _:
                self.change(key, lambda i: i.unreported(exit_told=False, retry_at=self.ticks + 1))
        self.change(key, lambda i: i.unoccupied(type(action).__name__.lower()))

    def prepared(self, key: Key, uid: str, *, success: bool) -> None:
        if "remove" in self.instances[key].busy or self.instances[key].removed:
            return  # cancelled
        if success:
            self.save(key)
            self.folders[key] = uid
            self.change(key, lambda i: i.ready(Declared()))
        else:
            failure = Failure("ArtifactUnavailable", "no", 1, self.ticks + 3)
            self.change(key, lambda i: i.unready(failure))

    def adopt(self, key: Key) -> None:
        """What the files of the run say: it runs, it ended meanwhile, or it never ran."""
        run = process.run if (process := self.instances[key].record.process) else ""
        if run not in self.started:
            self.change(key, lambda i: i.never_ran(self.now))
            self.save(key)
            return
        self.change(key, lambda i: i.adopted(Adopted(self.started[run], self.now.wall), self.now))
        if run in self.exits:
            self.change(key, lambda i: i.down(self.exits[run], self.now))
            self.save(key)

    def released(self, key: Key, uid: str) -> None:
        assignment = self.assignments.get(key)
        if assignment is not None and assignment.metadata.uid == uid:
            assert not self.alive(uid), "released under a living process"
            assert assignment.metadata.deletion_timestamp is not None
            del self.assignments[key]

    def reported(self, key: Key, action: sync.Report, *, success: bool) -> None:
        tells = action.status["phase"] in ("Exited", "Failed")
        if not success:
            self.change(key, lambda i: i.unreported(exit_told=tells, retry_at=self.ticks + 1))
            return
        self.change(key, lambda i: i.reported(exit_told=tells))
        if (assignment := self.current(key)) is not None:
            body = assignment.to_body() | {"status": action.status}
            self.assignments[key] = Assignment.from_body(body)

    def crash(self) -> None:
        self.beside.clear()
        self.draining = False
        self.instances = {
            key: recalled(record, prepared=self.folders.get(key) == record.uid, boot_id=BOOT, now=self.now)
            for key, record in self.records.items()
        }

    def settle(self) -> None:
        """Follow the plan, all work succeeding, until there is nothing to do but wait for far-off times."""
        for _ in range(600):
            while self.beside:
                self.complete(0, success=True)
            actions = self.plan()
            steps = [action for action in actions if not isinstance(action, sync.Wait)]
            if steps:
                self.perform(steps[0])
                continue
            waits = [action.until for action in actions if isinstance(action, sync.Wait)]
            if not waits:
                return
            self.ticks = max(self.ticks, min(waits))
        raise AssertionError(f"does not converge: {self.plan()}")


COMMANDS: dict[str, dict[str, Any]] = {
    "run": {"spec": {"desired": "Running"}},
    "stop": {"spec": {"desired": "Stopped"}},
    "delete": {"deletion_timestamp": EPOCH},
    "restart": {"annotations": {RESTARTED_AT: "1"}},
    "restart again": {"annotations": {RESTARTED_AT: "2"}},
    "give up": {"status": {"phase": "Unknown"}},
    "vanish": {},
    "recreate": {},
}
FOLLOW_UPS = st.sampled_from(["nothing", "work", "settle"])


class AgentPlan(RuleBasedStateMachine):
    """Anything happens; then, left alone, everything is as it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def edit(self, key: Key, **changes: Any) -> None:
        old = self.world.assignments[key]
        spec = old.spec.model_copy(update=changes.pop("spec", {}))
        status = old.status.model_copy(update=changes.pop("status", {}))
        metadata = old.metadata.model_copy(update=changes | {"generation": (old.metadata.generation or 0) + 1})
        update = {"spec": spec, "metadata": metadata, "status": status}
        self.world.assignments[key] = old.model_copy(update=update)

    @rule(key=st.sampled_from(KEYS), what=st.sampled_from(sorted(COMMANDS)), then=FOLLOW_UPS)
    def someone_commands(self, key: Key, what: str, then: str) -> None:
        """People, controllers and the node controller change an assignment, or its absence."""
        world = self.world
        if what in ("vanish", "recreate"):
            world.assignments.pop(key, None)
        if key in world.assignments:
            self.edit(key, **COMMANDS[what])
        elif what != "vanish":
            world.created += 1
            world.assignments[key] = new_assignment(key, f"uid-{world.created}")
        self.follow_up(then)

    @rule(key=st.sampled_from(KEYS), code=st.sampled_from([0, 1]), then=FOLLOW_UPS)
    def an_app_ends(self, key: Key, code: int, then: str) -> None:
        if key in self.world.instances:
            self.world.end_processes(self.world.instances[key].record.uid, Exit(code=code))
        self.follow_up(then)

    @rule(key=st.sampled_from(KEYS), health=st.sampled_from(HEALTHS), saved=st.booleans(), then=FOLLOW_UPS)
    def a_probe_judges(self, key: Key, health: Health, saved: bool, then: str) -> None:
        world = self.world
        if key in world.instances and world.instances[key].is_probed:
            world.change(key, lambda i: i.judged(health))
            if saved:
                world.save(key)
        self.follow_up(then)

    @rule(stubborn=st.booleans(), seconds=st.sampled_from([0.05, 0.5, 1.0, 3.0, 700.0]), then=FOLLOW_UPS)
    def time_passes(self, stubborn: bool, seconds: float, then: str) -> None:
        self.world.stubborn = stubborn
        self.world.ticks += seconds
        self.follow_up(then)

    @rule(elsewhere=st.booleans(), then=FOLLOW_UPS)
    def other_nodes_change(self, elsewhere: bool, then: str) -> None:
        self.world.elsewhere = elsewhere
        self.follow_up(then)

    @rule(index=st.integers(0, 5), success=st.booleans(), then=FOLLOW_UPS)
    def work_is_over(self, index: int, success: bool, then: str) -> None:
        if self.world.beside:
            self.world.complete(index % len(self.world.beside), success=success)
        self.follow_up(then)

    @rule(how=st.sampled_from(["drained", "killed", "killed in a start"]), then=FOLLOW_UPS)
    def the_agent_ends(self, how: str, then: str) -> None:
        if how == "drained":
            self.world.draining = True
        elif how == "killed":
            self.world.crash()
        else:
            self.world.dies_in_start = True
        self.follow_up(then)

    def follow_up(self, then: str) -> None:
        """The agent does nothing, or a prefix of its plan, or all of it."""
        if then == "settle":
            self.world.settle()
        for _ in range(3 if then == "work" else 0):
            steps = [action for action in self.world.plan() if not isinstance(action, sync.Wait)]
            if steps:
                self.world.perform(steps[0])

    @invariant()
    def never_two_processes_of_one_assignment(self) -> None:
        uids = [process.uid for process in self.world.processes]
        assert len(uids) == len(set(uids))

    def teardown(self) -> None:
        if self.world.draining:
            self.world.settle()
            assert not self.world.processes
            self.world.draining = False
        self.world.settle()
        self.check_converged()

    def check_converged(self) -> None:
        world = self.world
        wanted = {key for key, one in world.assignments.items() if one.metadata.deletion_timestamp is None}
        assert set(world.assignments) == wanted, "a finalizer was not released"
        assert set(world.instances) == wanted
        assert set(world.folders) <= wanted
        for key in wanted:
            self.check_one(world.assignments[key], world.instances[key])
        uids = {one.metadata.uid for one in world.assignments.values()}
        assert {process.uid for process in world.processes} <= uids, "a process without an assignment"

    def check_one(self, assignment: Assignment, instance: Instance) -> None:
        alive = bool(self.world.alive(instance.record.uid))
        phase = assignment.status.phase
        assert assignment.metadata.uid == instance.record.uid
        assert (phase == "Running") == alive
        if alive:
            asked = assignment.metadata.annotations.get(RESTARTED_AT, instance.record.restarted_at)
            assert instance.record.restarted_at == asked, "not restarted when asked"
            assert instance.is_probed, "not restarted when a probe asked"
            ready = find(assignment.status.conditions, "Ready")
            assert ready is not None
            assert (ready.status == "True") == (instance.record.health or Health()).ready
        before = self.world.instances.get(("default", assignment.spec.replaces))
        if assignment.spec.desired == "Stopped":
            assert phase == "Stopped"
        elif before is not None and before.life == "up" and not alive:
            ended = instance.record.end is not None and phase in ("Exited", "Failed", "BackOff")
            assert phase == "Pending" or ended
        elif not alive and self.world.lacks(assignment.key):
            assert (phase, assignment.status.reason) == ("Pending", "WaitingForDependencies")
        elif not alive:
            policy = assignment.spec.template.restart_policy
            assert policy != "Always"
            assert phase == ("Exited" if policy == "OnFailure" else phase)
            assert phase in ("Exited", "Failed")


AgentPlan.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgentPlan = AgentPlan.TestCase


def test_a_converged_world_needs_nothing() -> None:
    world = World()
    world.assignments = {key: new_assignment(key, f"uid-{key[1]}") for key in KEYS if key[1] != "b"}
    world.settle()
    assert world.plan() == []
    world.instances = {key: replace(one, busy=frozenset()) for key, one in world.instances.items()}
    assert world.plan() == []


def test_a_crash_restarts_nothing_and_has_nothing_to_tell() -> None:
    world = World()
    world.assignments = {key: new_assignment(key, f"uid-{key[1]}") for key in KEYS if key[1] != "b"}
    world.settle()
    before, assignments = [*world.processes], dict(world.assignments)
    world.crash()
    world.settle()
    assert world.processes == before
    assert world.assignments == assignments
    assert not any(one.record.restarts for one in world.instances.values())


def test_a_crash_after_any_number_of_actions_still_converges() -> None:
    for length in range(12):
        world = World()
        world.assignments = {key: new_assignment(key, f"uid-{key[1]}") for key in KEYS if key[1] != "b"}
        for _ in range(length):
            follow = partial(world.complete, 0, success=True) if world.beside else None
            steps = [action for action in world.plan() if not isinstance(action, sync.Wait)]
            if follow:
                follow()
            elif steps:
                world.perform(steps[0])
        world.crash()
        world.settle()
        assert len(world.processes) == 3
