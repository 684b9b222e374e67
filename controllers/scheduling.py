"""Where assignments without a home go. Pure.

A node must be ready, neither cordoned nor about to end all it runs, have the fixed ports free, and an agent that can
give what the copy asks for: the original's can give little. Among those the one with the fewest copies of the same
entry wins, then the one with the fewest assignments, then the first by name. One plan costs about
(pending + nodes) * log(nodes), however many there are.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apiserver.api import conditions
from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import Assignment, Template
from apiserver.api.kinds.node import DRAINING, Node, is_original
from apiserver.api.kinds.probe import asks_nothing

NO_READY_NODE, PORT_TAKEN, NEEDS_PLUM_AGENT = "NoReadyNode", "PortTaken", "NeedsPlumAgent"


@dataclass(frozen=True)
class Bind:
    """Place the assignment on the node, if it still is as it was seen."""

    assignment: Assignment
    node: str


@dataclass(frozen=True)
class Unplaced:
    """No node takes the assignment for now; ``message`` says why and what to do."""

    assignment: Assignment
    reason: str
    message: str


Group = tuple[str, str, str]
"""Namespace, task and entry: the copies that are spread over nodes."""

Load = tuple[int, int, str]
"""Copies of the same group, assignments in all, node."""


@dataclass(frozen=True)
class Needs:
    """What a node must have for a copy: these ports free, and our agent if anything is ``beyond`` the original's."""

    ports: frozenset[int]
    beyond: tuple[str, ...]


def is_pending(assignment: Assignment) -> bool:
    """Whether the scheduler has to find a node."""
    return is_live(assignment) and not assignment.spec.node_name and not assignment.spec.home


def is_usable(node: Node) -> bool:
    """Whether new assignments may go there."""
    return (
        node.metadata.deletion_timestamp is None
        and not node.spec.unschedulable
        and not conditions.is_true(node.status.conditions, DRAINING)
        and conditions.is_true(node.status.conditions, "Ready")
    )


def fixed_ports(assignment: Assignment) -> frozenset[int]:
    """The port numbers that the assignment insists on."""
    return frozenset(port.port for port in assignment.spec.template.ports if port.port is not None)


def beyond_original(template: Template) -> list[str]:
    """What of a template the original's agent cannot give: it starts a command, starts it again whenever it ends, and
    stops it by TERM and 5 s later by KILL."""
    asked = {
        "env": template.env,
        "ports": template.ports,
        "services on named ports": any(isinstance(service.port, str) for service in template.services),
        "restartPolicy": template.restart_policy != "Always",
        "stopSignal": template.stop_signal != "TERM",
        "probes": not asks_nothing(template.probes),
        "terminationGracePeriodSeconds": template.termination_grace_period_seconds != 5,
        "dependsOn": template.depends_on,
    }
    return [name for name, is_asked in asked.items() if is_asked]


def plan(
    pending: Iterable[Assignment], nodes: Iterable[Node], assignments: Iterable[Assignment]
) -> list[Bind | Unplaced]:
    """One decision for every pending assignment, oldest first within its group; the order of the inputs does
    not matter. ``assignments`` are all there are: those that live on a node count there."""
    fleet = _Fleet([node for node in nodes if is_usable(node)], assignments)
    groups = defaultdict[tuple[Group, Needs], list[Assignment]](list)
    for assignment in sorted(pending, key=_age):
        groups[_group(assignment), _needs(assignment)].append(assignment)
    decisions: list[Bind | Unplaced] = []
    for (group, needs), members in groups.items():
        decisions += fleet.place(group, needs, members)
    return decisions


def _needs(assignment: Assignment) -> Needs:
    return Needs(fixed_ports(assignment), tuple(beyond_original(assignment.spec.template)))


def _group(assignment: Assignment) -> Group:
    return assignment.metadata.namespace or "", assignment.spec.task_name, assignment.spec.entry


def _age(assignment: Assignment) -> tuple[str, str, str]:
    created = assignment.metadata.creation_timestamp
    return (created.isoformat() if created else "", *assignment.key)


class _Fleet:
    """The usable nodes in order of load, and what is on them."""

    def __init__(self, nodes: Sequence[Node], assignments: Iterable[Assignment]) -> None:
        self._original = {node.metadata.name for node in nodes if is_original(node)}
        self._total = dict.fromkeys((node.metadata.name for node in nodes), 0)
        self._ports: dict[str, set[int]] = {node: set() for node in self._total}
        self._spread = defaultdict[Group, Counter[str]](Counter)
        for assignment in assignments:
            if is_live(assignment) and assignment.spec.node_name in self._total:
                self._take(assignment.spec.node_name, _group(assignment), fixed_ports(assignment))
        self._idle: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
        """Nodes of our agents, and of the original's, so that those who cannot use these need not look at them."""
        for node in self._total:
            self._put_back(node)

    def place(self, group: Group, needs: Needs, members: Sequence[Assignment]) -> Iterator[Bind | Unplaced]:
        """Decide for members that are alike. Nodes without a copy of the group come first, straight from the
        heaps of all nodes; those with copies wait in a heap of the group's own."""
        shared: list[Load] = []
        aside: set[str] = set()
        for member in members:
            node = self._next(group, needs, shared, aside)
            if node is None:
                yield self._refusal(member, needs)
                continue
            self._take(node, group, needs.ports)
            yield Bind(member, node)
            if needs.ports:
                aside.add(node)
            else:
                heapq.heappush(shared, self._load(group, node))
        for node in aside.union(node for _, _, node in shared):
            self._put_back(node)

    def _next(self, group: Group, needs: Needs, shared: list[Load], aside: set[str]) -> str | None:
        """Take the best node out of the heaps; what cannot be used goes aside."""
        heaps = [self._idle[False]] if needs.beyond else list(self._idle.values())
        while any(heaps):
            _, node = heapq.heappop(min(filter(None, heaps)))
            if self._ports[node] & needs.ports:
                aside.add(node)
            elif self._spread[group][node]:
                heapq.heappush(shared, self._load(group, node))
            else:
                return node
        return heapq.heappop(shared)[2] if shared else None

    def _put_back(self, node: str) -> None:
        heapq.heappush(self._idle[node in self._original], (self._total[node], node))

    def _load(self, group: Group, node: str) -> Load:
        return self._spread[group][node], self._total[node], node

    def _take(self, node: str, group: Group, ports: frozenset[int]) -> None:
        self._total[node] += 1
        self._spread[group][node] += 1
        self._ports[node] |= ports

    def _refusal(self, member: Assignment, needs: Needs) -> Unplaced:
        if not self._total:
            return Unplaced(member, NO_READY_NODE, "no node is ready and schedulable; see 'plumctl get nodes'")
        if needs.beyond and len(self._original) == len(self._total):
            return Unplaced(
                member,
                NEEDS_PLUM_AGENT,
                "the only ready nodes run the original agent, which gives apps no env, ports or probes and has fixed "
                f"ways to restart and stop; the entry asks for {', '.join(needs.beyond)}: add a node with plum-agent, "
                "or leave that out",
            )
        numbers = ", ".join(map(str, sorted(needs.ports)))
        return Unplaced(
            member,
            PORT_TAKEN,
            f"no ready node has port {numbers} free; add a node, or leave out the number and the agent picks one",
        )
