"""Which entries of a task start before which: what ``dependsOn`` may say. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apiserver.api.errors import Cause


def causes(entries: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    """What is wrong with the ``dependsOn`` of a task's entries, in wire form."""
    names = [entry["name"] for entry in entries]
    for index, entry in enumerate(entries):
        yield from _wrong_names(f"spec.entries[{index}].dependsOn", entry.get("dependsOn", ()), names)
    if ring := cycle({entry["name"]: entry.get("dependsOn", ()) for entry in entries}):
        message = f"the entries wait for each other and would never start: {' -> '.join(ring)}; leave one of these out"
        yield Cause(f"spec.entries[{names.index(ring[0])}].dependsOn", f"Invalid value: {message}")


def _wrong_names(where: str, wanted: Sequence[str], names: Sequence[str]) -> Iterator[Cause]:
    for index, name in enumerate(wanted):
        if name in wanted[:index]:
            yield Cause(f"{where}[{index}]", f'Duplicate value: "{name}"', "FieldValueDuplicate")
        elif name not in names:
            known = ", ".join(names)
            message = f'Invalid value: "{name}": the task has no entry of that name; it has {known}'
            yield Cause(f"{where}[{index}]", message)


def cycle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """A way along the edges that ends where it began, or nothing if there is none."""
    cleared: set[str] = set()

    def search(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name not in cleared:
            for following in edges.get(name, ()):
                if found := search(following, [*way, name]):
                    return found
            cleared.add(name)
        return []

    return next(filter(None, (search(name, []) for name in edges)), [])
