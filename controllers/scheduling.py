"""Where assignments without a home go. Pure.

A node must be ready, not cordoned, and have the fixed ports free. Among those the one with the fewest copies
of the same entry wins, then the one with the fewest assignments, then the first by name. One plan costs about
(pending + nodes) * log(nodes), however many there are.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apiserver.api import conditions
from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import Node

NO_READY_NODE, PORT_TAKEN = "NoReadyNode", "PortTaken"


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


def is_pending(assignment: Assignment) -> bool:
    """Whether the scheduler has to find a node."""
    return is_live(assignment) and not assignment.spec.node_name and not assignment.spec.home


def is_usable(node: Node) -> bool:
    """Whether new assignments may go there."""
    return (
        node.metadata.deletion_timestamp is None
        and not node.spec.unschedulable
        and conditions.is_true(node.status.conditions, "Ready")
    )


def fixed_ports(assignment: Assignment) -> frozenset[int]:
    """The port numbers that the assignment insists on."""
    return frozenset(port.port for port in assignment.spec.template.ports if port.port is not None)


def plan(
    pending: Iterable[Assignment], nodes: Iterable[Node], assignments: Iterable[Assignment]
) -> list[Bind | Unplaced]:
    """One decision for every pending assignment, oldest first within its group; the order of the inputs does
    not matter. ``assignments`` are all there are: those that live on a node count there."""
    fleet = _Fleet((node.metadata.name for node in nodes if is_usable(node)), assignments)
    groups = defaultdict[tuple[Group, frozenset[int]], list[Assignment]](list)
    for assignment in sorted(pending, key=_age):
        groups[_group(assignment), fixed_ports(assignment)].append(assignment)
    decisions: list[Bind | Unplaced] = []
    for (group, ports), members in groups.items():
        decisions += fleet.place(group, ports, members)
    return decisions


def _group(assignment: Assignment) -> Group:
    return assignment.metadata.namespace or "", assignment.spec.task_name, assignment.spec.entry


def _age(assignment: Assignment) -> tuple[str, str, str]:
    created = assignment.metadata.creation_timestamp
    return (created.isoformat() if created else "", *assignment.key)


class _Fleet:
    """The usable nodes in order of load, and what is on them."""

    def __init__(self, nodes: Iterable[str], assignments: Iterable[Assignment]) -> None:
        self._total = dict.fromkeys(nodes, 0)
        self._ports: dict[str, set[int]] = {node: set() for node in self._total}
        self._spread = defaultdict[Group, Counter[str]](Counter)
        for assignment in assignments:
            if is_live(assignment) and assignment.spec.node_name in self._total:
                self._take(assignment.spec.node_name, _group(assignment), fixed_ports(assignment))
        self._idle = [(total, node) for node, total in self._total.items()]
        heapq.heapify(self._idle)

    def place(self, group: Group, ports: frozenset[int], members: Sequence[Assignment]) -> Iterator[Bind | Unplaced]:
        """Decide for members that are alike. Nodes without a copy of the group come first, straight from the
        heap of all nodes; those with copies wait in a heap of the group's own."""
        shared: list[Load] = []
        aside: set[str] = set()
        for member in members:
            node = self._next(group, ports, shared, aside)
            if node is None:
                yield self._refusal(member, ports)
                continue
            self._take(node, group, ports)
            yield Bind(member, node)
            if ports:
                aside.add(node)
            else:
                heapq.heappush(shared, self._load(group, node))
        for node in aside.union(node for _, _, node in shared):
            heapq.heappush(self._idle, (self._total[node], node))

    def _next(self, group: Group, ports: frozenset[int], shared: list[Load], aside: set[str]) -> str | None:
        """Take the best node out of the heaps; what cannot be used goes aside."""
        while self._idle:
            _, node = heapq.heappop(self._idle)
            if self._ports[node] & ports:
                aside.add(node)
            elif self._spread[group][node]:
                heapq.heappush(shared, self._load(group, node))
            else:
                return node
        return heapq.heappop(shared)[2] if shared else None

    def _load(self, group: Group, node: str) -> Load:
        return self._spread[group][node], self._total[node], node

    def _take(self, node: str, group: Group, ports: frozenset[int]) -> None:
        self._total[node] += 1
        self._spread[group][node] += 1
        self._ports[node] |= ports

    def _refusal(self, member: Assignment, ports: frozenset[int]) -> Unplaced:
        if not self._total:
            return Unplaced(member, NO_READY_NODE, "no node is ready and schedulable; see 'plumctl get nodes'")
        numbers = ", ".join(map(str, sorted(ports)))
        return Unplaced(
            member,
            PORT_TAKEN,
            f"no ready node has port {numbers} free; add a node, or leave out the number and the agent picks one",
        )
