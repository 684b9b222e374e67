"""Server-side apply against the reference, step by step, and the reference against facts about Kubernetes."""

from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apiserver.api.machinery.patches import merge_patch
from tests.properties import apply_configs
from tests.properties.apply_cases import CASES, GONE, Case, Step
from tests.properties.apply_model import TASK, Body, Invalid, Model, read, show
from tests.properties.apply_server import Server, called

MANAGERS = st.sampled_from(["ann", "bob", "cyd"])
CONFIGS, STATUSES = st.sampled_from(apply_configs.CONFIGS), st.sampled_from(apply_configs.STATUSES)
VERBS = st.sampled_from(["put", "merge", "json"])


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

    @rule(manager=MANAGERS, config=CONFIGS, how=VERBS)
    def overwrite(self, manager: str, config: Body, how: str) -> None:
        """What is not in the config goes, whoever has it."""
        self._both("update", manager, config, how=how)

    @precondition(lambda self: self.server.stored)
    @rule(manager=MANAGERS, config=CONFIGS, how=VERBS, reset=st.integers(0, 9))
    def change(self, manager: str, config: Body, how: str, reset: int) -> None:
        """A bit of what there is becomes different; sometimes the books are thrown away in the same write."""
        self._both("update", manager, changed(self.server.body(), config), how=how, reset=reset == 9)

    @precondition(lambda self: self.server.stored)
    @rule(manager=MANAGERS, status=STATUSES, how=VERBS)
    def write_status(self, manager: str, status: Body, how: str) -> None:
        self._both("update", manager, self.server.body() | status, how=how, door="status")

    @invariant()
    def they_are_the_same(self) -> None:
        assert self.server.body() == self.model.body()
        assert self.server.books() == self.model.books()

    def _both(self, verb: str, *args: Any, how: str = "", **options: Any) -> None:
        """The same write on both, with the same outcome; one that is repeated changes nothing."""
        options |= {"how": how} if how else {}
        agree(outcome(self.model, verb, args, options), found := outcome(self.server, verb, args, options))
        if found == set() and not options.get("reset"):
            stored = self.server.stored
            assert outcome(self.server, verb, args, options) == set()
            assert self.server.stored is stored


def outcome(one: Model | Server, verb: str, args: tuple[Any, ...], options: Body) -> Any:
    """The conflicts, none where it was done, or ``invalid``."""
    manager, body = args
    try:
        return getattr(one, verb)(manager, orjson.loads(orjson.dumps(body)), **options) or set()
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
    new: Body = orjson.loads(orjson.dumps(body))
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


Applying.TestCase.settings = settings(max_examples=200, stateful_step_count=7, deadline=None)
TestApplying = Applying.TestCase


@pytest.mark.parametrize("one", [Model, Server])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule[:60])
def test_a_fact_about_kubernetes(case: Case, one: type[Model] | type[Server]) -> None:
    subject = one()
    answers = [play(subject, step) for step in case.steps]
    assert answers[:-1] == [set()] * (len(answers) - 1)
    expected: Any = {(place, spelled(owner)) for place, _, owner in (text.rpartition(" ") for text in case.conflicts)}
    agree("invalid" if case.invalid else expected, answers[-1])
    books = subject.books() | {"": set().union(*subject.books().values())}
    for place, owners in case.owners.items():
        assert books.get(place, set()) == {spelled(owner) for owner in owners.split()}, place
    found = values(subject.body())
    for place, value in case.values.items():
        assert found.get(place, GONE) == value, place


def play(subject: Model | Server, step: Step) -> Any:
    """Do a step; the conflicts it met, each with words that begin as a message does."""
    body = merge_patch(subject.body(), step.body) if step.verb == "update" else step.body
    answer = outcome(subject, step.verb, (step.manager, body), step.options)
    is_told = isinstance(subject, Model) and not isinstance(answer, str)
    return {(place, called(owner)) for place, owner in answer} if is_told else answer


def spelled(owner: str) -> str:
    """An owner as the books call it."""
    name, _, door = owner.partition("/")
    return f"{name.rstrip('!')}/{'Update' if name.endswith('!') else 'Apply'}{door and f'/{door}'}"


def values(body: Body) -> dict[str, Any]:
    """All places with what is there, and the names of the entries in their order."""
    found = {path: show(node) for path, node in read(TASK, body).walk()}
    return found | {".spec.entries/names": [entry["name"] for entry in body["spec"]["entries"]]}


def test_there_are_enough_facts() -> None:
    assert len({case.rule for case in CASES}) >= 40
