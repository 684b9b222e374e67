"""Server-side apply against the reference, step by step, and the reference against facts about Kubernetes."""

import copy
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.properties.apply_model import Body, Invalid, Model
from tests.properties.apply_server import Server, called

MANAGERS = st.sampled_from(["ann", "bob", "cyd"])
TEXTS = st.sampled_from(["1", "2"])
COUNTS = st.sampled_from([1, 2])
NAMES = st.lists(st.sampled_from("xyz"), unique=True, max_size=3)
LABELS = st.dictionaries(st.sampled_from("ab"), TEXTS, min_size=1)


def fields(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Body]:
    """Some of these fields."""
    return st.fixed_dictionaries({}, optional=choices)


def items(key: str, names: st.SearchStrategy[Any], **choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A list of items told apart by a key, in any order."""
    item = fields(**choices)
    return st.lists(st.tuples(names, item), min_size=1, max_size=3, unique_by=lambda one: one[0]).map(
        lambda pairs: [{key: name, **rest} for name, rest in pairs]
    )


COMMANDS = st.sampled_from([["a"], ["a", "b"]])
READINESS = st.fixed_dictionaries(
    {"exec": st.fixed_dictionaries({"command": COMMANDS})}, optional={"periodSeconds": COUNTS}
)
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("xyz"),
        st.sampled_from([{"artifactUrl": "/1"}] * 4 + [{"artifactUrl": "/2"}, {}]),
        fields(
            startCmd=TEXTS,
            replicas=COUNTS,
            restartPolicy=st.sampled_from(["Always", "Never"]),
            env=items("name", st.sampled_from("AB"), value=TEXTS),
            labels=LABELS,
            logs=fields(maxFiles=COUNTS, maxSize=st.sampled_from(["10Mi", "20Mi"])).filter(bool),
            probes=st.fixed_dictionaries({"readiness": READINESS}),
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one[0],
).map(lambda entries: [{"name": name} | source | rest for name, source, rest in entries])
OWNER = st.sampled_from("uv").map(lambda uid: {"apiVersion": "v1", "kind": "K", "name": uid, "uid": uid})
OWNERS = st.lists(OWNER, min_size=1, max_size=2, unique_by=lambda one: one["uid"])
CONFIGS = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {"entries": ENTRIES},
            optional={
                "state": st.sampled_from(["Running", "Stopped"]),
                "strategy": fields(maxUnavailable=COUNTS, maxSurge=COUNTS).filter(bool),
            },
        )
    },
    optional={
        "metadata": fields(
            labels=LABELS, finalizers=st.lists(st.sampled_from("fgh"), unique=True, min_size=1), ownerReferences=OWNERS
        ).filter(bool)
    },
)
CONDITIONS = items("type", st.sampled_from(["Ready", "Good"]), reason=TEXTS).flatmap(
    lambda found: st.lists(st.sampled_from(["True", "False"]), min_size=len(found), max_size=len(found)).map(
        lambda values: [one | {"status": value} for one, value in zip(found, values, strict=True)]
    )
)
KNOWN = st.dictionaries(st.sampled_from("pq"), st.one_of(TEXTS, st.just([1]), st.just({"deep": 1})), min_size=1)
STATUSES = (
    fields(replicas=COUNTS, conditions=CONDITIONS, operator=KNOWN).filter(bool).map(lambda status: {"status": status})
)


class Applying(RuleBasedStateMachine):
    """Managers at work on one task: what the server stores and whom it belongs to is what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.server = Model(), Server()

    @rule(manager=MANAGERS, config=CONFIGS, force=st.booleans())
    def apply(self, manager: str, config: Body, force: bool) -> None:
        self._both("apply", manager, config, force=force)

    @precondition(lambda self: self.server.stored)
    @rule(manager=MANAGERS, config=STATUSES, force=st.booleans())
    def apply_status(self, manager: str, config: Body, force: bool) -> None:
        self._both("apply", manager, config, force=force, door="status")

    @rule(manager=MANAGERS, config=CONFIGS, how=st.sampled_from(["put", "merge", "json"]))
    def overwrite(self, manager: str, config: Body, how: str) -> None:
        """What is not in the config goes, whoever has it."""
        self._both("update", manager, config, how=how)

    @precondition(lambda self: self.server.stored)
    @rule(manager=MANAGERS, data=st.data(), how=st.sampled_from(["put", "merge", "json"]), reset=st.integers(0, 9))
    def change(self, manager: str, data: st.DataObject, how: str, reset: int) -> None:
        """A bit of what there is becomes different; sometimes the books are thrown away in the same write."""
        body = changed(self.server.body(), data.draw(CONFIGS))
        self._both("update", manager, body, how=how, reset=reset == 0)

    @precondition(lambda self: self.server.stored)
    @rule(manager=MANAGERS, status=STATUSES, how=st.sampled_from(["put", "merge", "json"]))
    def write_status(self, manager: str, status: Body, how: str) -> None:
        self._both("update", manager, self.server.body() | status, how=how, door="status")

    @invariant()
    def they_are_the_same(self) -> None:
        assert self.server.body() == self.model.body()
        assert self.server.books() == self.model.books()

    def _both(self, verb: str, *args: Any, how: str = "", **options: Any) -> None:
        """The same write on both, with the same outcome; one that is repeated changes nothing."""
        expected = outcome(self.model, verb, *copy.deepcopy(args), **options)
        more = {"how": how} if how else {}
        found = outcome(self.server, verb, *copy.deepcopy(args), **options, **more)
        agree(expected, found)
        if found == set() and not options.get("reset"):
            stored = copy.deepcopy(self.server.stored)
            assert outcome(self.server, verb, *copy.deepcopy(args), **options) == set()
            assert self.server.stored == stored


def outcome(one: Model | Server, verb: str, *args: Any, **options: Any) -> Any:
    try:
        return getattr(one, verb)(*args, **options) or set()
    except Invalid:
        return "invalid"


def agree(expected: Any, found: Any) -> None:
    """Whether the server's causes are the model's conflicts, in Kubernetes' words."""
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    left = sorted((path, called(owner)) for path, owner in expected)
    right = sorted(found)
    assert [path for path, _ in right] == [path for path, _ in left]
    for (_, words), (path, message) in zip(left, right, strict=True):
        assert message.startswith(words), path


def changed(body: Body, config: Body) -> Body:
    """The body with labels, state and the first entry as in the config."""
    new = copy.deepcopy(body)
    for key, value in config.get("metadata", {}).items():
        new.setdefault("metadata", {})[key] = value
    new["spec"] |= {key: value for key, value in config["spec"].items() if key != "entries"}
    strategy = {"maxUnavailable": 1, "maxSurge": 0} | new["spec"]["strategy"]
    new["spec"]["strategy"] = strategy
    for entry in config["spec"]["entries"][:1]:
        found = next((one for one in new["spec"]["entries"] if one["name"] == entry["name"]), None)
        if found is None:
            new["spec"]["entries"].insert(0, entry)
        else:
            found |= entry
    return new


Applying.TestCase.settings = settings(max_examples=200, stateful_step_count=8, deadline=None, phases=[Phase.generate])
TestApplying = Applying.TestCase
