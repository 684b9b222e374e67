"""A reference of server-side apply: slow, simple, and written from what Kubernetes documents, not from our code.

An object is one tree, and at every place of it stands who has that place. A place is called as conflicts call it:
``.spec.entries[name="main"].replicas``; an owner is ``manager/Apply`` or ``manager/Update``, with ``/status`` where
it writes through that door. The forms below say by hand what kinds of places a Task has; nothing is read off models.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """What a place is: a ``struct`` of fields, a ``map``, a ``list`` with keys, a ``set``, a ``leaf`` (also a list
    or a struct that is one value), or ``any``: what no schema describes."""

    what: str
    fields: "dict[str, Form]" = field(default_factory=dict)
    item: "Form | None" = None
    keys: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)


LEAF, ANY = Form("leaf"), Form("any")
MAP, SET = Form("map", item=LEAF), Form("set", item=LEAF)


def struct(defaults: dict[str, Any] | None = None, **fields: Form) -> Form:
    return Form("struct", fields=fields, defaults=defaults or {})


def listed(item: Form, *keys: str) -> Form:
    return Form("list", item=item, keys=keys)


PROBE_DEFAULTS = {
    "initialDelaySeconds": 0,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "successThreshold": 1,
    "failureThreshold": 3,
}
STRATEGY_DEFAULTS = {"maxUnavailable": 1, "maxSurge": 0}
STATUS_DEFAULTS = {"observedGeneration": 0, "replicas": 0, "readyReplicas": 0, "updatedReplicas": 0, "selector": ""}
ENTRY_DEFAULTS = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 5, "stopSignal": "TERM"}
PROBE = struct(PROBE_DEFAULTS, exec=struct(command=LEAF))
ENTRY = struct(
    ENTRY_DEFAULTS,
    env=listed(struct({"value": ""}), "name"),
    services=listed(struct({"protocol": "tcp"}), "name"),
    labels=MAP,
    dependsOn=SET,
    logs=struct({"maxSize": "10Mi", "maxFiles": 5}),
    probes=struct(readiness=PROBE),
)
SPEC = struct(
    {"state": "Running", "strategy": STRATEGY_DEFAULTS},
    strategy=struct(STRATEGY_DEFAULTS),
    entries=listed(ENTRY, "name"),
)
STATUS = struct(
    STATUS_DEFAULTS, conditions=listed(struct({"reason": "", "message": ""}), "type"), operator=ANY, entries=LEAF
)
METADATA = struct(labels=MAP, annotations=MAP, finalizers=SET, ownerReferences=listed(LEAF, "uid"))
TASK = struct({"status": STATUS_DEFAULTS}, metadata=METADATA, spec=SPEC, status=STATUS)


class Invalid(Exception):
    """What was sent, or what would come of it, is no object."""


@dataclass
class Node:
    """One place: what it is, who has it, and its value or what it holds, by the words that lead there."""

    form: Form
    value: Any = None
    inside: "dict[str, Node]" = field(default_factory=dict)
    owners: set[str] = field(default_factory=set)

    @property
    def is_leaf(self) -> bool:
        return not self.inside

    def copy(self) -> "Node":
        inside = {word: node.copy() for word, node in self.inside.items()}
        return Node(self.form, self.value, inside, set(self.owners))

    def walk(self, path: str = "") -> "Iterator[tuple[str, Node]]":
        yield path, self
        for word, node in self.inside.items():
            yield from node.walk(path + word)


def read(form: Form, value: Any) -> Node:
    """The tree of a value, with nobody in it."""
    if isinstance(value, dict) and value and form.what in ("struct", "map", "any"):
        below = {key: form.fields.get(key) or form.item or (ANY if form.what == "any" else LEAF) for key in value}
        return Node(form, inside={f".{key}": read(below[key], part) for key, part in value.items() if part is not None})
    if isinstance(value, list) and value and form.what in ("list", "set"):
        words = [word_of(form, item) for item in value]
        if len(set(words)) < len(words):
            raise Invalid(f"twice the same in {words}")
        return Node(form, inside={word: read(form.item or LEAF, item) for word, item in zip(words, value, strict=True)})
    return Node(form, value)


def word_of(form: Form, item: Any) -> str:
    if form.what == "set":
        return f"[={json.dumps(item)}]"
    defaults = form.item.defaults if form.item else {}
    keys = {key: item.get(key, defaults.get(key)) for key in form.keys}
    if None in keys.values():
        raise Invalid(f"an item of a list has no {', '.join(form.keys)}")
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"


def show(node: Node) -> Any:
    """The value of a tree."""
    if node.is_leaf:
        return node.value
    if node.form.what in ("list", "set"):
        return [show(item) for item in node.inside.values()]
    return {word[1:]: show(part) for word, part in node.inside.items()}


def fill(node: Node) -> None:
    """Defaults where nothing is said; nobody has them."""
    for key, default in node.form.defaults.items():
        if f".{key}" not in node.inside:
            node.inside[f".{key}"] = read(node.form.fields.get(key, LEAF), default)
    for part in node.inside.values():
        if part.inside:
            fill(part)


def woven(live: list[str], config: list[str]) -> list[str]:
    """The items of a merged list: as in the config; one that only the live list has comes behind its predecessor,
    where both lists agree about that."""
    order, at, turns = list(config), 0, [word for word in config if word in live]
    for word in live:
        if word not in config:
            order.insert(at, word)
            at += 1
        elif turns and word == turns[0]:
            turns.pop(0)
            at = order.index(word) + 1
    return order


def other_door(body: Body, door: str) -> Body:
    """What of an object goes through a door: the status, or metadata and spec."""
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key in METADATA.fields}
    if door == "status":
        return {"status": body["status"]} if body.get("status") else {}
    return {key: value for key, value in {"metadata": metadata, "spec": body.get("spec")}.items() if value}


class Model:
    """One object over its life."""

    def __init__(self) -> None:
        self.root: Node | None = None

    def body(self) -> Body:
        """What there is, without identity."""
        shown = show(self.root) if self.root else {}
        return {key: value for key, value in shown.items() if value}

    def books(self) -> dict[str, set[str]]:
        """Who has which place."""
        places = self.root.walk() if self.root else ()
        return {path: set(node.owners) for path, node in places if node.owners}

    def apply(self, manager: str, config: Body, *, force: bool = False, door: str = "") -> set[tuple[str, str]]:
        """The conflicts, each a place and an owner; none if it was applied. Raises Invalid."""
        me = f"{manager}/Apply{door and f'/{door}'}"
        wanted = read(TASK, other_door(config, door))
        before = self.root.copy() if self.root else None
        root = self.root = self.root or Node(TASK)
        if not self.books():
            self._give_to_before_first_apply(root, door)
        fights = set(_fights(root, wanted, me, ""))
        if fights and not force:
            self.root = before
            return fights
        mine = [node for _, node in root.walk() if me in node.owners]
        for node in mine:
            node.owners.discard(me)
        _lay(root, wanted, me)
        _sweep(root, [node for node in mine if me not in node.owners], depth=0)
        self._finish(before)
        return set()

    def update(self, manager: str, new: Body, *, door: str = "", reset: bool = False, how: str = "put") -> None:
        """Another write; ``new`` is the whole object as it is to be, whatever the verb. Raises Invalid."""
        me = f"{manager}/Update{door and f'/{door}'}"
        before = self.root.copy() if self.root else None
        root = self.root = self.root or Node(TASK)
        for _, node in root.walk() if reset else ():
            node.owners.clear()
        wanted = read(TASK, other_door(new, door))
        fill(wanted)
        for word in (".status",) if door == "status" else (".metadata", ".spec"):
            _overwrite(root, word, wanted.inside.get(word, Node(TASK.fields[word[1:]])), me)
        self._finish(before)

    def _give_to_before_first_apply(self, root: Node, door: str) -> None:
        for path, node in root.walk():
            is_item = path.endswith("]")
            if (node.is_leaf or is_item) and path and path.startswith(".status") == (door == "status"):
                node.owners.add(f"before-first-apply/Update{door and f'/{door}'}")

    def _finish(self, before: Node | None) -> None:
        assert self.root
        fill(self.root)
        try:
            _check(self.root)
        except Invalid:
            self.root = before
            raise


def _fights(live: Node, wanted: Node, me: str, path: str) -> Iterator[tuple[str, str]]:
    """Places that others have with another value."""
    if live.is_leaf or wanted.is_leaf:
        if not (live.is_leaf and wanted.is_leaf and live.value == wanted.value):
            yield from ((place, owner) for place, node in live.walk(path) for owner in node.owners - {me})
        return
    for word, part in wanted.inside.items():
        if word in live.inside:
            yield from _fights(live.inside[word], part, me, path + word)


def _lay(live: Node, wanted: Node, me: str) -> None:
    """Every place of the config is mine: alone where its value changes, with others where it is the same."""
    before = list(live.inside)
    for word, part in wanted.inside.items():
        found = live.inside.setdefault(word, Node(part.form))
        if part.is_leaf:
            is_same = found.is_leaf and found.value == part.value
            found.value, found.inside = part.value, {}
            found.owners = found.owners | {me} if is_same else {me}
        else:
            found.owners = found.owners | {me} if live.form.what == "list" else set()
            found.form, found.value = part.form, None
            _lay(found, part, me)
    if live.form.what in ("list", "set"):
        live.inside = {word: live.inside[word] for word in woven(before, list(wanted.inside))}


def _sweep(node: Node, left: list[Node], depth: int) -> bool:
    """Take away what I left and nobody has. Whether anything below was left."""
    touched = False
    for word, part in list(node.inside.items()):
        was_left = any(part is one for one in left)
        is_key = node.form.what == "struct" and depth and word[1:] in ("name", "type", "uid")
        if was_left and not part.owners and node.form.what == "list":
            del node.inside[word]
            touched = True
            continue
        below = _sweep(part, left, depth + 1)
        touched = touched or was_left or below
        is_empty = part.is_leaf and not part.owners and (below or (was_left and not is_key))
        is_nobodys = part.form.what == "struct" and depth > 0 and not any(one.owners for _, one in part.walk())
        if is_empty or (below and is_nobodys):
            del node.inside[word]
    return touched


def _overwrite(live: Node, word: str, wanted: Node, me: str) -> None:
    """What differs is mine alone, and what is gone is nobody's."""
    found = live.inside.get(word)
    if wanted.is_leaf and wanted.value is None:
        live.inside.pop(word, None)
    elif found is None or found.is_leaf or wanted.is_leaf:
        if found is None or not (found.is_leaf and wanted.is_leaf and found.value == wanted.value):
            _take(wanted, me)
            wanted.owners |= {me} if live.form.what == "list" else set()
            live.inside[word] = wanted
    else:
        for key, part in wanted.inside.items():
            _overwrite(found, key, part, me)
        found.inside = {key: found.inside[key] for key in wanted.inside}


def _take(node: Node, me: str) -> None:
    if node.is_leaf:
        node.owners = {me}
    for part in node.inside.values():
        part.owners |= {me} if node.form.what == "list" else set()
        _take(part, me)


def _check(root: Node) -> None:
    """What makes a Task invalid, as far as these tests can bring it about."""
    spec = root.inside.get(".spec", Node(SPEC))
    entries = spec.inside.get(".entries", Node(SPEC.fields["entries"]))
    if not entries.inside:
        raise Invalid("no entry")
    for entry in entries.inside.values():
        if ".artifactUrl" not in entry.inside:
            raise Invalid("an entry that runs nothing")
        readiness = entry.inside.get(".probes", Node(PROBE)).inside.get(".readiness")
        if readiness is not None and ".exec" not in readiness.inside:
            raise Invalid("a probe that asks nothing")
    conditions = root.inside.get(".status", Node(STATUS)).inside.get(".conditions", Node(LEAF))
    if any(".status" not in condition.inside for condition in conditions.inside.values()):
        raise Invalid("a condition that says nothing")
