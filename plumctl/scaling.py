"""``task/web=3``, ``task/web/api=3``: which entries are scaled to how many copies, and the patch that does it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apiserver.api.kinds.task import MAX_COPIES
from apiserver.api.meta import Body


class CannotScale(ValueError):
    """Why it cannot be, and what to write."""


@dataclass(frozen=True)
class Scaled:
    """One task, and the counts of its entries; an empty entry is the only one."""

    task: str
    counts: Mapping[str, int]


def read_scaled(what: Sequence[str], replicas: int | None) -> list[Scaled]:
    """Read the arguments: ``task/web``, ``task/web/api``, each with ``=COUNT`` unless ``replicas`` says it for all;
    or ``task web``. Raises CannotScale."""
    found: dict[str, dict[str, int]] = {}
    for text in _slashed(what):
        name, equals, count = text.partition("=")
        kind, _, rest = name.partition("/")
        task, slash, entry = rest.partition("/")
        if not task or "/" in entry or (slash and not entry):
            raise CannotScale(f"{text!r}: write {kind or 'task'}/NAME or {kind or 'task'}/NAME/ENTRY")
        counts = found.setdefault(f"{kind}/{task}", {})
        if entry in counts:
            raise CannotScale(f"{name} is named twice")
        counts[entry] = _count(text, count if equals else None, replicas)
    return [Scaled(name, counts) for name, counts in found.items()]


def _slashed(what: Sequence[str]) -> list[str]:
    if not what:
        raise CannotScale("say what: task/NAME=COUNT, or task/NAME --replicas=COUNT")
    if "/" in what[0]:
        return list(what)
    if len(what) == 1:
        raise CannotScale(f"{what[0]}: name the task: {what[0]}/NAME")
    return [f"{what[0]}/{name}" for name in what[1:]]


def _count(text: str, written: str | None, replicas: int | None) -> int:
    if written is not None and replicas is not None:
        raise CannotScale(f"{text}: give =COUNT or --replicas, not both")
    if written is None and replicas is None:
        raise CannotScale(f"{text}: say how many: {text}=COUNT, or --replicas=COUNT")
    if written is None and replicas is not None:
        return replicas
    if not (
        written and written.isascii() and written.isdigit() and int(written[:6]) <= MAX_COPIES and len(written) < 7
    ):
        raise CannotScale(f"{text}: the count must be a number between 0 and {MAX_COPIES}")
    return int(written)


def scale_patch(body: Body, scaled: Scaled, current: int = -1, version: str = "") -> list[dict[str, Any]]:
    """The JSON patch that sets the counts; it fails where an entry has moved meanwhile.

    ``current``: how many copies there must be now, unless below 0; ``version``: the task's, if it must be that one.
    Raises CannotScale.
    """
    operations: list[dict[str, Any]] = []
    if version:
        if version != body["metadata"]["resourceVersion"]:
            raise CannotScale(f"Expected resource version to be {version}, was {body['metadata']['resourceVersion']}")
        operations.append({"op": "test", "path": "/metadata/resourceVersion", "value": version})
    for name, count in scaled.counts.items():
        operations += _one(body, scaled, name, count, current)
    return operations


def _one(body: Body, scaled: Scaled, name: str, count: int, current: int) -> list[dict[str, Any]]:
    entries = body["spec"]["entries"]
    names = [entry["name"] for entry in entries]
    if not name and len(names) != 1:
        raise CannotScale(
            f"{scaled.task} has {len(names)} entries: {', '.join(names)}; name the one to scale, "
            f"for example {scaled.task}/{names[0]}={count}"
        )
    if name and name not in names:
        raise CannotScale(f"{scaled.task} has no entry {name!r}; it has {', '.join(names)}")
    index = names.index(name) if name else 0
    entry = entries[index]
    if entry.get("nodeReplicas"):
        raise CannotScale(
            f"{scaled.task}: entry {entry['name']} says how many copies run on which node (nodeReplicas); "
            "plumctl edit changes that"
        )
    present = entry.get("replicas", 1)
    if 0 <= current != present:
        raise CannotScale(f"Expected replicas to be {current}, was {present}")
    where = f"/spec/entries/{index}"
    lock = []
    if current >= 0:
        is_told = "replicas" in entry
        path = f"{where}/replicas" if is_told else "/metadata/resourceVersion"
        lock = [{"op": "test", "path": path, "value": present if is_told else body["metadata"]["resourceVersion"]}]
    name_is = {"op": "test", "path": f"{where}/name", "value": entry["name"]}
    return [name_is, *lock, {"op": "add", "path": f"{where}/replicas", "value": count}]
