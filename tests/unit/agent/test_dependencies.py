"""What an instance waits for, as tables."""

import pytest

from agent.dependencies import Sibling, missing
from agent.instances import End, Instance, Life, Record, Stopping
from agent.probes import Health
from agent.runtime import Exit
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment
from apiserver.api.meta import Body
from tests.unit.agent.objects import assignment

TOLD: Body = {"conditions": [{"type": DEPENDENCIES_READY, "status": "True"}]}
WEB = assignment("web", template={"dependsOn": ["db", "job"]})
TOLD_WEB = assignment("web", template={"dependsOn": ["db", "job"]}, status=TOLD)


def sibling(
    entry: str,
    life: Life = "down",
    *,
    code: int | None = None,
    cause: str = "Exited",
    policy: str = "OnFailure",
    stopping: bool = False,
    uid: str = "",
    spec: Body | None = None,
    metadata: Body | None = None,
) -> Sibling:
    spec = {"entry": entry} | (spec or {})
    one = assignment(entry, spec=spec, metadata=metadata, template={"restartPolicy": policy})
    end = None if code is None else End.model_validate({"cause": cause, "exit": Exit(code=code)})
    record = Record(namespace="default", name=entry, uid=uid or one.metadata.uid or "", end=end)
    return one, Instance(record, life=life, stopping=Stopping("Stopped", 0, 5) if stopping else None)


UP, DONE = sibling("db", "up"), sibling("job", code=0)
LEAVING: Body = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("assignment", "siblings", "waits_for"),
    [
        pytest.param(WEB, [UP, DONE], (), id="all here and well, whatever the controller says"),
        pytest.param(WEB, [], ("db", "job"), id="nothing here, and nothing told"),
        pytest.param(TOLD_WEB, [], (), id="all elsewhere, and told"),
        pytest.param(TOLD_WEB, [sibling("db")], ("db",), id="not up here: that counts"),
        pytest.param(WEB, [UP], ("job",), id="the other elsewhere, and not told"),
        pytest.param(TOLD_WEB, [UP], (), id="the other elsewhere, and told"),
        pytest.param(TOLD_WEB, [sibling("db", "left")], ("db",), id="nobody knows yet"),
        pytest.param(TOLD_WEB, [sibling("db", "up", stopping=True)], ("db",), id="about to end"),
        pytest.param(TOLD_WEB, [sibling("db"), UP], (), id="one of two is enough"),
        pytest.param(TOLD_WEB, [sibling("db", spec={"desired": "Stopped"})], (), id="stopped here: elsewhere counts"),
        pytest.param(TOLD_WEB, [sibling("db", **LEAVING)], (), id="leaving here: elsewhere counts"),
        pytest.param(TOLD_WEB, [sibling("db", "up", uid="namesake")], ("db",), id="a namesake of it is up"),
        pytest.param(TOLD_WEB, [sibling("job", code=1)], ("job",), id="failed"),
        pytest.param(TOLD_WEB, [sibling("job", code=0, policy="Always")], ("job",), id="starts again"),
        pytest.param(TOLD_WEB, [sibling("job", code=0, cause="Stopped")], ("job",), id="stopped before it was done"),
    ],
)
def test_what_is_waited_for(assignment: Assignment, siblings: list[Sibling], waits_for: tuple[str, ...]) -> None:
    assert missing(assignment, siblings) == waits_for


def test_what_is_up_counts_once_its_probes_say_that_it_is_ready() -> None:
    probe = {"readiness": {"tcpSocket": {"port": 80}}}
    db = assignment("db", spec={"entry": "db"}, template={"probes": probe})
    for health, waits_for in ((None, ("db",)), (Health(ready=False), ("db",)), (Health(ready=True), ())):
        record = Record(namespace="default", name="db", uid=db.metadata.uid or "", health=health)
        assert missing(TOLD_WEB, [(db, Instance(record, life="up"))]) == waits_for


def test_without_a_server_only_what_is_here_is_waited_for() -> None:
    assert missing(WEB, [sibling("db")], trusting=True) == ("db",)
    assert missing(WEB, [UP], trusting=True) == ()


def test_whoever_depends_on_nothing_waits_for_nothing() -> None:
    assert missing(assignment("web"), [sibling("db")]) == ()
