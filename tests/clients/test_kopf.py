"""An operator written in ``kopf``, in a process of its own: what its handlers do reaches the objects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.bodies import task, with_replicas
from tests.clients.objects import Tasks
from tests.clients.operators import FINALIZER, Operator
from tests.e2e.cluster import wait_for

KEEPER = Path(__file__).with_name("keeper.py")
WAITS = {"example.com/waits": "yes"}
GO = {"metadata": {"annotations": {"example.com/go": "yes"}}}


@pytest.fixture(scope="module")
def operator(
    server: str, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory, make_namespace: Any
) -> Iterator[Operator]:
    """One for all tests of the module: its start takes seconds."""
    found = Operator(KEEPER, kubeconfig, make_namespace(), tmp_path_factory.mktemp("keeper"))
    with found.running():
        yield found


@pytest.fixture
def tasks(server: str, operator: Operator) -> Iterator[Tasks]:
    with httpx.Client(base_url=server, trust_env=False) as http:
        yield Tasks(http, operator.namespace)


def test_results_and_patches_of_handlers_reach_the_status(tasks: Tasks, operator: Operator) -> None:
    tasks.create(task("made"))
    status = tasks.wait_for_status("made", "made")
    assert (status["made"], status["keeper"]) == ({"entries": 1}, {"knows": "made"})
    metadata = tasks.get("made")["metadata"]
    assert metadata["finalizers"] == [FINALIZER]
    assert "kopf.zalando.org/last-handled-configuration" in metadata["annotations"]
    assert metadata["generation"] == 1
    assert operator.told().count("made made") == 1


def test_changes_are_seen_with_their_difference(tasks: Tasks) -> None:
    tasks.create(task("changed"))
    tasks.wait_for_status("changed", "made")
    tasks.patch("changed", with_replicas(4))
    result = "changed/spec.entries"  # kopf's name for a handler of one field
    assert tasks.wait_for_status("changed", result)[result] == {"from": 1, "to": 4}


def test_events_of_handlers_are_about_the_object(tasks: Tasks) -> None:
    uid = tasks.create(task("noted"))["metadata"]["uid"]
    (event,) = wait_for("the event", lambda: tasks.events(uid, "Kept"))
    assert (event["message"], event["type"]) == ("noted is looked after", "Normal")
    assert event["involvedObject"]["kind"] == "Task"


def test_what_fails_for_good_is_an_event_too(tasks: Tasks) -> None:
    uid = tasks.create(task("bad", labels={"broken": "yes"}))["metadata"]["uid"]
    (event,) = wait_for("the event", lambda: tasks.events(uid, "Logging", "Error"))
    assert "this cannot work" in event["message"]


def test_a_handler_that_has_to_wait_is_called_again(tasks: Tasks, operator: Operator) -> None:
    """How far it got is kept in annotations meanwhile."""
    tasks.create(task("slow", annotations=WAITS))
    wait_for("a retry", lambda: operator.told().count("settling slow") >= 2)
    assert "kopf.zalando.org/settled" in tasks.get("slow")["metadata"]["annotations"]
    tasks.patch("slow", GO)
    assert tasks.wait_for_status("slow", "settled")["settled"] == "yes"
    assert operator.told().count("made slow") == 1
    left = "kopf.zalando.org/settled"
    wait_for("the end of the notes", lambda: left not in tasks.get("slow")["metadata"]["annotations"])


def test_a_deletion_waits_for_its_handler(tasks: Tasks, operator: Operator) -> None:
    tasks.create(task("kept", annotations=WAITS))
    tasks.patch("kept", GO)
    tasks.wait_for_status("kept", "settled")
    tasks.patch("kept", {"metadata": {"annotations": {"example.com/go": None}}})
    tasks.delete("kept")
    wait_for("the handler", lambda: "leaving kept" in operator.told())
    assert tasks.get("kept")["metadata"]["deletionTimestamp"]
    tasks.patch("kept", GO)
    tasks.wait_until_gone("kept")
    assert "gone kept" in operator.told()


def test_a_timer_ticks(tasks: Tasks) -> None:
    tasks.create(task("timed", labels={"timed": "yes"}))
    wait_for("ticks", lambda: tasks.get("timed")["status"].get("ticks", 0) >= 3)
    tasks.delete("timed")
    tasks.wait_until_gone("timed")


def test_a_daemon_lives_as_long_as_its_object(tasks: Tasks, operator: Operator) -> None:
    tasks.create(task("watched", labels={"watched": "yes"}))
    wait_for("the daemon", lambda: "guarding watched" in operator.told())
    assert "guarded watched" not in operator.told()
    tasks.delete("watched")
    tasks.wait_until_gone("watched")
    assert operator.told().count("guarded watched") == 1
