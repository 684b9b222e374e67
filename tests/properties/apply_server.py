"""The server's code as the model's counterpart: one object, written through the pipeline that every write takes.

What it answers is read with the model's own forms and with a reader of ``managedFields`` that is written here, so
that a fault of ours in reading does not hide one in writing.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonpatch
import orjson

from apiserver.api.errors import Conflict
from apiserver.api.errors import Invalid as Refused
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import decode
from apiserver.api.machinery.documents import Document
from apiserver.api.machinery.patches import json_patch, merge_patch
from tests.properties.apply_model import METADATA, Body, Invalid

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = {"apiVersion": "plum.dev/v1", "kind": "Task"}


class Server:
    """One task, as the registry would store it."""

    def __init__(self) -> None:
        self.stored: Body | None = None
        self._writes = 0

    def body(self) -> Body:
        """What there is, without identity."""
        if self.stored is None:
            return {}
        metadata = {key: value for key, value in self.stored["metadata"].items() if key in METADATA.fields}
        shown = {"metadata": metadata, "spec": self.stored["spec"], "status": self.stored.get("status")}
        return {key: value for key, value in shown.items() if value}

    def books(self) -> dict[str, set[str]]:
        """Who has which place, as the model calls both."""
        found: dict[str, set[str]] = {}
        for entry in self.stored["metadata"].get("managedFields", ()) if self.stored else ():
            door = f"/{entry['subresource']}" if "subresource" in entry else ""
            for path in places(entry["fieldsV1"], ""):
                found.setdefault(path, set()).add(f"{entry['manager']}/{entry['operation']}{door}")
        return found

    def apply(self, manager: str, config: Body, *, force: bool = False, door: str = "") -> set[tuple[str, str]]:
        """As the model's."""
        sent = HEAD | config | {"metadata": {"name": "t", "namespace": "default"} | config.get("metadata", {})}
        body, _ = decode(TASKS, Document(orjson.loads(orjson.dumps(sent))), "Strict")
        try:
            new = writes.apply(TASKS, self.stored, body, self._context(manager), force=force, subresource=door)
        except Conflict as error:
            return {(cause.field, cause.message) for cause in error.details.causes}
        except Refused as error:
            raise Invalid(error.message) from error
        self._store(new)
        return set()

    def update(self, manager: str, new: Body, *, door: str = "", reset: bool = False, how: str = "put") -> None:
        """As the model's; ``how`` says by which verb: create, put, merge or json."""
        head = {"name": "t", "namespace": "default"}
        if self.stored is None:
            return self._try(lambda: writes.create(TASKS, self._sent(head, new), self._context(manager)))
        kept = {key: value for key, value in self.stored["metadata"].items() if key not in METADATA.fields}
        wanted = HEAD | new | {"metadata": kept | new.get("metadata", {})}
        if reset:
            wanted["metadata"]["managedFields"] = []
        old = self.stored
        if how == "merge":
            wanted = merge_patch(old, merge_between(old, wanted))
        elif how == "json":
            wanted = json_patch(old, list(jsonpatch.make_patch(old, wanted)))
        body, _ = decode(TASKS, Document(wanted), "Strict")
        return self._try(lambda: writes.update(TASKS, old, body, self._context(manager), subresource=door))

    def _sent(self, head: Body, new: Body) -> Body:
        body, _ = decode(TASKS, Document(HEAD | new | {"metadata": head | new.get("metadata", {})}), "Strict")
        return body

    def _try(self, write: Any) -> None:
        try:
            self._store(write())
        except Refused as error:
            raise Invalid(error.message) from error

    def _store(self, new: Body) -> None:
        if self.stored is None or not writes.same(self.stored, new):
            self.stored = orjson.loads(orjson.dumps(new))

    def _context(self, manager: str) -> writes.Context:
        self._writes += 1
        return writes.Context(START + timedelta(seconds=self._writes), manager, lambda: "uid")


def called(owner: str) -> str:
    """How a conflict begins that tells of an owner, as the model calls it."""
    manager, operation, *door = owner.split("/")
    through = f' with subresource "{door[0]}"' if door else ""
    return f'conflict with "{manager}"{through}' + (" using plum.dev/v1 at " if operation == "Update" else "")


def places(tree: Any, path: str) -> Iterator[str]:
    """The paths of FieldsV1."""
    if path and (not tree or "." in tree):
        yield path
    for key, inner in tree.items():
        if key.startswith("f:"):
            yield from places(inner, f"{path}.{key[2:]}")
        elif key.startswith("v:"):
            yield from places(inner, f"{path}[={key[2:]}]")
        elif key.startswith("k:"):
            words = ",".join(f"{name}={json.dumps(value)}" for name, value in json.loads(key[2:]).items())
            yield from places(inner, f"{path}[{words}]")


def merge_between(old: Any, new: Any) -> Any:
    """The merge patch that makes ``new`` of ``old`` (RFC 7386)."""
    patch: Body = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            patch[key] = merge_between(old[key], value)
        elif value != old[key]:
            patch[key] = value
    return patch
