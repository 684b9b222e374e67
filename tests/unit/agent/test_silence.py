"""A node that was silent and returns says how its instances are, once."""

from datetime import UTC, datetime

from agent import status
from agent.instances import Moment
from apiserver.api.kinds.assignment import ASSIGNMENTS, Assignment
from apiserver.api.machinery import writes
from tests.unit.agent.objects import assignment
from tests.unit.agent.test_sync import UP

NOW = Moment(1000.0, datetime(2026, 1, 1, tzinfo=UTC))


def apply(stored: Assignment, manager: str, body: dict[str, object]) -> Assignment:
    context = writes.Context(NOW.wall, manager, lambda: "uid")
    config = {"metadata": {"name": "web-1", "namespace": "default"}, "status": body}
    merged = writes.apply(ASSIGNMENTS, stored.to_body(), config, context, force=True, subresource="status")
    return Assignment.from_body(merged)


def test_one_report_takes_back_what_the_node_controller_wrote() -> None:
    def wanted(stored: Assignment) -> dict[str, object]:
        return status.of(stored, UP, waits=False, now=NOW, ip="10.0.0.1")

    stored = assignment("web-1")
    stored = apply(stored, "plum-agent", wanted(stored))
    assert not status.differs(stored, wanted(stored))
    silent = {"phase": "Unknown", "reason": "NodeSilent", "message": "node nodeA is silent"}
    ready = {"type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    stored = apply(stored, "plum-node-controller", silent | {"conditions": [ready]})
    assert status.differs(stored, wanted(stored))
    stored = apply(stored, "plum-agent", wanted(stored))
    assert (stored.status.phase, stored.status.message) == ("Running", "")
    assert not status.differs(stored, wanted(stored))
