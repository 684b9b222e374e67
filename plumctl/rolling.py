"""Where the rollout of a task stands, in kubectl's words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from apiserver.api.kinds.assignment import RESTARTED_AT
from apiserver.api.meta import Body

UNSEEN = "Waiting for task spec update to be observed..."


class RolloutFailed(Exception):
    """Why the rollout will not come to an end by itself, and what to do."""


@dataclass(frozen=True)
class Standing:
    """What to say; ``is_counted``: by the counts of the status it may be done, and its copies decide."""

    text: str
    is_counted: bool = False
    is_done: bool = False


def standing(body: Body) -> Standing:
    """Where a task stands by its status. Raises RolloutFailed."""
    name, spec, status = body["metadata"]["name"], body["spec"], body["status"]
    if spec.get("state") == "Stopped":
        raise RolloutFailed(f'task "{name}" is stopped; plumctl start task/{name} starts it')
    if status.get("observedGeneration", 0) < body["metadata"].get("generation", 0):
        return Standing(UNSEEN)
    _check_progress(name, status)
    wanted, updated = _wanted(spec), status.get("updatedReplicas", 0)
    if updated < wanted:
        return Standing(f"Waiting for rollout to finish: {updated} out of {wanted} new copies have been updated...")
    if (old := status.get("replicas", 0) - updated) > 0:
        return Standing(f"Waiting for rollout to finish: {old} old copies are pending termination...")
    if updated > wanted:
        return Standing(f"Waiting for rollout to finish: {updated - wanted} copies too many are pending termination...")
    ready = status.get("readyReplicas", 0)
    return Standing(
        f"Waiting for rollout to finish: {ready} of {updated} updated copies are available...", is_counted=True
    )


def by_copies(body: Body, copies: Sequence[Body], counted: Standing) -> Standing:
    """Where it stands by its copies: done when all are of the present restart, which no generation tells, and ready
    or completed."""
    restarted = (body["metadata"].get("annotations") or {}).get(RESTARTED_AT, "")
    live = [copy for copy in copies if "deletionTimestamp" not in copy["metadata"]]
    if len(live) != _wanted(body["spec"]) or any(
        copy["spec"]["template"].get("restartedAt", "") != restarted for copy in live
    ):
        return Standing(UNSEEN)
    if not all(map(_is_up, live)):
        return counted
    return Standing(f'task "{body["metadata"]["name"]}" successfully rolled out', is_done=True)


def _check_progress(name: str, status: Body) -> None:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition["status"] == "False":
            if condition.get("reason") == "ProgressDeadlineExceeded":
                raise RolloutFailed(f'task "{name}" exceeded its progress deadline')
            raise RolloutFailed(f'task "{name}" cannot be rolled out: {condition.get("message", "")}')


def _wanted(spec: Body) -> int:
    return sum(
        sum(entry["nodeReplicas"].values()) if entry.get("nodeReplicas") else int(entry.get("replicas", 1))
        for entry in spec["entries"]
    )


def _is_up(copy: Body) -> bool:
    status = copy.get("status") or {}
    if status.get("phase") == "Exited" and copy["spec"]["template"].get("restartPolicy") != "Always":
        return True
    conditions = status.get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
