"""What may be said of probes, and what is told of everything else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.api.errors import Invalid
from apiserver.api.expansion import Artifact, template_hash, template_of
from apiserver.api.kinds.probe import Probes
from apiserver.api.kinds.task import TASKS, Task
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import prune
from apiserver.api.machinery.writes import Context
from apiserver.api.meta import Body

TCP = {"tcpSocket": {"port": 80}}
PROBES = "spec.entries[0].probes"


def created(probes: Any) -> Body:
    """A task with these probes, as the server would store it."""
    entry = {"name": "main", "artifactUrl": "/x", "ports": [{"name": "http"}], "probes": probes}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "web", "namespace": "default"}}
    given, _ = prune(TASKS, body | {"spec": {"entries": [entry]}})
    return writes.create(TASKS, given, Context(datetime.now(UTC), "test", lambda: "uid"))


def test_a_probe_has_the_defaults_of_kubernetes() -> None:
    (entry,) = created({"readiness": {"httpGet": {"port": "http"}}})["spec"]["entries"]
    assert entry["probes"]["readiness"] == {
        "httpGet": {"port": "http", "path": "/", "scheme": "http"},
        "initialDelaySeconds": 0,
        "periodSeconds": 10,
        "timeoutSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_everything_that_can_be_said_is_kept() -> None:
    headers = [{"name": "Host", "value": "shop.example"}, {"name": "Accept", "value": ""}]
    get = {"port": "8443", "path": "/healthz?full=1", "scheme": "HTTPS", "host": "::1", "httpHeaders": headers}
    probes = {"startup": {"exec": {"command": ["./ready", "it's"]}, "failureThreshold": 30}}
    probes |= {"readiness": {"httpGet": get, "successThreshold": 2}, "liveness": {**TCP, "initialDelaySeconds": 5}}
    found = created(probes)["spec"]["entries"][0]["probes"]
    assert found["readiness"]["httpGet"] == {**get, "port": 8443, "scheme": "https"}
    assert found["startup"]["exec"] == probes["startup"]["exec"]
    assert created(found)["spec"]["entries"][0]["probes"] == found


@pytest.mark.parametrize("probes", [None, {}])
def test_no_probes_are_left_out_and_roll_nothing(probes: Any) -> None:
    body = created(probes)
    assert "probes" not in body["spec"]["entries"][0]
    task, plain = Task.from_body(body), Task.from_body(created({}))
    hashes = {template_hash(template_of(one.spec.entries[0], Artifact("/x", ""), "")) for one in (task, plain)}
    assert len(hashes) == 1


def test_a_changed_probe_is_another_template() -> None:
    entries = [Task.from_body(created({"liveness": {**TCP, "periodSeconds": n}})).spec.entries[0] for n in (1, 2)]
    templates = [template_of(entry, Artifact("/x", ""), "") for entry in entries]
    assert templates[0].probes == Probes.model_validate({"liveness": {**TCP, "periodSeconds": 1}})
    assert len({template_hash(one) for one in templates}) == 2


@pytest.mark.parametrize(
    ("probes", "field", "remedy"),
    [
        ({"liveness": {}}, "liveness", "give exactly one of httpGet, tcpSocket and exec"),
        ({"liveness": {**TCP, "exec": {"command": ["x"]}}}, "liveness", "give exactly one of"),
        ({"liveness": {**TCP, "successThreshold": 2}}, "liveness.successThreshold", "must be 1 for a liveness probe"),
        ({"startup": {**TCP, "successThreshold": 2}}, "startup.successThreshold", "must be 1 for a startup probe"),
        ({"readiness": {"tcpSocket": {"port": "web"}}}, "readiness.tcpSocket.port", "list it in ports"),
        ({"readiness": {"httpGet": {"port": "web"}}}, "readiness.httpGet.port", "list it in ports"),
        ({"readiness": {"httpGet": {"port": 0}}}, "readiness.httpGet.port", "must be between 1 and 65535"),
        ({"readiness": {"httpGet": {"port": 1, "path": "x"}}}, "readiness.httpGet.path", "must start with '/'"),
        ({"readiness": {"httpGet": {"port": 1, "path": "/ x"}}}, "readiness.httpGet.path", "percent-encode"),
        ({"readiness": {"httpGet": {"port": 1, "scheme": "ftp"}}}, "readiness.httpGet.scheme", '"http" or "https"'),
        ({"readiness": {"httpGet": {"port": 1, "host": "a b"}}}, "readiness.httpGet.host", "without a port"),
        (
            {"readiness": {"httpGet": {"port": 1, "httpHeaders": [{"name": "a:", "value": ""}]}}},
            "readiness.httpGet.httpHeaders[0].name",
            "letters, digits",
        ),
        (
            {"readiness": {"httpGet": {"port": 1, "httpHeaders": [{"name": "a", "value": "b\r\nc: d"}]}}},
            "readiness.httpGet.httpHeaders[0].value",
            "printable ASCII",
        ),
        ({"liveness": {"exec": {"command": []}}}, "liveness.exec.command", "at least 1"),
        ({"liveness": {"exec": {"command": ["a\0"]}}}, "liveness.exec.command[0]", "NUL"),
        ({"liveness": {**TCP, "periodSeconds": 0}}, "liveness.periodSeconds", "greater than or equal to 1"),
        ({"liveness": {**TCP, "timeoutSeconds": 3601}}, "liveness.timeoutSeconds", "less than or equal to 3600"),
        ({"liveness": {**TCP, "initialDelaySeconds": -1}}, "liveness.initialDelaySeconds", "greater than or equal to"),
        ({"liveness": {**TCP, "failureThreshold": 0}}, "liveness.failureThreshold", "greater than or equal to 1"),
        ({"liveness": {**TCP, "failureThreshold": 1.5}}, "liveness.failureThreshold", "integer"),
    ],
)
def test_what_is_wrong_names_the_field_and_the_remedy(probes: Any, field: str, remedy: str) -> None:
    with pytest.raises(Invalid) as caught:
        created(probes)
    (cause,) = caught.value.details.causes
    assert cause.field == f"{PROBES}.{field}"
    assert remedy in cause.message
