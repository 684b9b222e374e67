"""What ``kubectl get pods`` shows: the columns of Kubernetes, worked out from pods in wire form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apiserver.api.columns import AGE, NAME, since
from apiserver.api.meta import Body
from apiserver.api.scheme import Column, at, dig
from apiserver.api.views.pod_states import NODE_LOST


def _containers(body: Body) -> list[Mapping[str, Any]]:
    return list(dig(body, "status.containerStatuses") or ())


def _ready(body: Body, now: datetime) -> str:
    ready = sum(bool(one.get("ready")) for one in _containers(body))
    return f"{ready}/{len(body['spec']['containers'])}"


def _status(body: Body, now: datetime) -> str:
    reason = str(dig(body, "status.reason") or "")
    if body["metadata"].get("deletionTimestamp"):
        return "Unknown" if reason == NODE_LOST else "Terminating"
    for one in _containers(body):
        state = one.get("state") or {}
        for word in ("waiting", "terminated"):
            if found := (state.get(word) or {}).get("reason"):
                return str(found)
    return reason or str(dig(body, "status.phase"))


def _restarts(body: Body, now: datetime) -> str:
    """The number, and how long ago the last one was."""
    count = sum(int(one.get("restartCount") or 0) for one in _containers(body))
    ended = [since("lastState.terminated.finishedAt", dict(one), now) for one in _containers(body)]
    return f"{count} ({ended[0]} ago)" if count and ended[0] else str(count)


COLUMNS = (
    NAME,
    Column("Ready", _ready, description="Containers that are ready, of all: always one."),
    Column("Status", _status, description="The phase, or why it is not as it should be."),
    Column("Restarts", _restarts, description="Starts after the first, and when the last was."),
    AGE,
    Column("IP", at("status.podIP", default="<none>"), priority=1, description="The node's address."),
    Column("Node", at("spec.nodeName", default="<none>"), priority=1, description="The node that it is on."),
)
