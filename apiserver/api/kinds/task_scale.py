"""The one count of a task, where it has one: a single entry whose copies the scheduler places. Pure."""

import orjson

from apiserver.api.errors import Cause, Details, Invalid
from apiserver.api.meta import Body
from apiserver.api.scheme import Count, Scaling, dig

_SHOWN = 5


def _count(body: Body) -> Count:
    """The count of the only entry. Raises Invalid, with the way to scale one of several."""
    entry = _only(body)
    name = str(entry["name"])
    item = f"k:{orjson.dumps({'name': name}).decode()}"
    return Count(
        path=("f:spec", "f:entries", item, "f:replicas"),
        wanted=int(entry.get("replicas", 1)),
        present=int(dig(body, "status.replicas") or 0),
        selector=f"plum.dev/task={body['metadata']['name']},plum.dev/entry={name}",
    )


def _scaled(body: Body, replicas: int) -> Body:
    return dict(body, spec=dict(body["spec"], entries=[dict(_only(body), replicas=replicas)]))


def _only(body: Body) -> Body:
    entries: list[Body] = body["spec"]["entries"]
    task, first = body["metadata"]["name"], entries[0]
    if len(entries) > 1:
        names = [str(entry["name"]) for entry in entries]
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise _refusal(
            task,
            "spec.entries",
            f"the task has {len(names)} entries ({shown}), each with a count of its own; "
            f"scale one of them: plumctl scale task/{task}/{names[0]}=3",
        )
    if nodes := first.get("nodeReplicas"):
        node = next(iter(nodes))
        raise _refusal(
            task,
            "spec.entries[0].nodeReplicas",
            f'the copies of the entry "{first["name"]}" are placed by node; set the count of a node: '
            f"spec.entries[0].nodeReplicas.{node} (plumctl edit task/{task}), or use replicas instead",
        )
    return first


def _refusal(task: str, field: str, why: str) -> Invalid:
    cause = Cause(field, f"Forbidden: {why}", "FieldValueForbidden")
    return Invalid(
        f'Task.plum.dev "{task}" is invalid: {field}: {cause.message}',
        details=Details(name=task, group="plum.dev", kind="Task", causes=[cause]),
    )


TASK_SCALING = Scaling(count=_count, scaled=_scaled)
