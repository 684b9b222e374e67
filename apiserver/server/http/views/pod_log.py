"""``pods/log``: the log of the assignment, asked and refused as the kubelet would.

``follow`` ends with the run of the process that it began with, as on a cluster; to follow an instance over its
restarts is what the log of an assignment is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError, BadRequest, NotFound
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.meta import Body
from apiserver.server.http.logs import Logs
from apiserver.server.http.requests import flag
from apiserver.server.registry import Target
from apiserver.server.transaction import not_found


@dataclass(frozen=True)
class PodLogs:
    """The endpoint of pods' logs."""

    logs: Logs

    async def get(self, request: Request, target: Target, verb: str) -> Response:
        """The log. Raises BadRequest for a container that is not there, or that has not run (so often); otherwise as
        the log of the assignment does."""
        slot = self.logs.registry.store.get(ASSIGNMENTS, target.namespace, target.name)
        if slot is None:
            raise not_found(ASSIGNMENTS, target.name)
        assert target.view is not None
        query = request.query_params
        pod = target.view.project(slot.parse())
        check(pod, query)
        previous = flag(query, "previous") and not _waits(pod)
        try:
            return await self.logs.relay(request, replace(target, view=None), one_run=True, previous=previous)
        except (BadRequest, NotFound) as error:
            raise _of_container(error, pod) from error


def _waits(pod: Body) -> bool:
    """Whether the newest run is over and the next is still to come: then it is the newest that is the previous."""
    return "waiting" in pod["status"]["containerStatuses"][0]["state"]


def check(pod: Body, query: Mapping[str, str]) -> None:
    """See that there can be such a log, in the order and the words of Kubernetes. Raises BadRequest."""
    name, known = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
    wanted = query.get("container") or known
    if wanted != known:
        raise BadRequest(f"container {wanted[:80]} is not valid for pod {name}")
    if not pod["spec"].get("nodeName"):
        raise BadRequest(f"pod {name} does not have a host assigned")
    container = pod["status"]["containerStatuses"][0]
    waiting, has_run = container["state"].get("waiting"), bool(container["restartCount"] or container.get("lastState"))
    if flag(query, "previous") and not has_run:
        raise BadRequest(f'previous terminated container "{wanted}" in pod "{name}" not found')
    if waiting and not has_run:
        raise BadRequest(f'container "{wanted}" in pod "{name}" is waiting to start: {waiting["reason"]}')


def _of_container(error: ApiError, pod: Body) -> ApiError:
    """What the node refuses, in the words of Kubernetes where it has some."""
    name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
    if error.message.startswith(f'assignment "{name}": previous'):
        return BadRequest(f'previous terminated container "{container}" in pod "{name}" not found')
    return error
