"""What kubectl and plumctl can both do, they do alike: for the same arguments the same words and the same exit codes.

Each row is given to both, each in a namespace of its own with the same tasks. Not compared are ages, and that plumctl
names objects without their group (``task/x``) and begins all errors with ``error:``.
"""

import json
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest
from click.testing import CliRunner

from plumctl.commands import cli
from tests.e2e.cluster import wait_for
from tests.kubectl.program import Kubectl
from tests.kubectl.room import Room, Stage
from tests.kubectl.scope import FULL

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""

_PREFIX = re.compile(
    r"^(?:[Ee]rror(?: from server \(\w+\))?|Unexpected args)?:? ?(?:(?:The )?[\w.]+ \"[^\"]*\" is invalid: )?"
)
_NUMBERS = count()

CORE = (
    "label task x c=d; label task/x c=d; label task/x c=e; label task/x c=f --overwrite; label task/x c-",
    "label task/x c-; label tasks --all q=1",
    "annotate task/x c=d; annotate task/x c=e; annotate task/x c-",
    """patch task/x --type merge -p '{"spec":{"state":"Stopped"}}'""",
    "patch task/x --type merge -p 'spec: {state: Running}'",
    """patch task/x --type merge -p '{"spec":{"state":3}}'""",
    "wait task/x --for=condition=Nothing --timeout=0; wait task/x --for=jsonpath={.spec.state}=Running",
    "wait task/x --for=delete --timeout=0; wait task/none --for=delete; wait task/none --for=condition=A",
    "get task x -L tier,plum.dev/foo --show-labels; get tasks --no-headers -o custom-columns=N:.metadata.name,X:.nope",
    r"""get tasks -o 'jsonpath={range .items[*]}{.kind}{"\t"}{.spec.entries[?(@.replicas<1)].name}{"\n"}{end}'""",
    "scale task/one --replicas=1; scale task one --replicas=0 --current-replicas=1",
)
MORE = (
    "label tasks --all q=1 z-; label task/x a- n=1; label task/x b-",
    "label task/none task/x a=2 --overwrite; label task/none a=1",
    "label task x; label x=y task/x; label task/x task/y u=1 --resource-version=4",
    "label task/x n=5 --resource-version=1",
    "label task -l tier=web nn=1; label task -l nope=1 nn=1; label task/x a=c tier=db",
    "label task/x task/y m=1 --dry-run=server; label task/x m=1 --dry-run=client; label task/x m=1 -o name",
    "scale task/one --replicas=1 --current-replicas=5",
    "annotate task x c=d; annotate task/x c=d; annotate task/x c=e --overwrite; annotate task/x gone-",
    "annotate task x; annotate task/none c=d; annotate task/x task/y e=f; annotate task/x --list",
    """patch task/x --type json -p '[{"op":"add","path":"/metadata/labels/k","value":"v"}]'""",
    "patch task/x --type merge; patch task/x --type foo -p {}",
    """patch task/x task/y --type merge -p '{"metadata":{"labels":{"k":"w"}}}' -o name""",
    """patch task/none --type merge -p {}; patch task/x --subresource=status --type merge -p 'status: {replicas: 1}'""",
    "wait task/x --for=condition=Nothing --timeout=1s; wait task/none --for=condition=Nothing --timeout=5s",
    "wait task/x '--for=jsonpath={.spec.state}'; wait task/x '--for=jsonpath={.spec.state}=Nope' --timeout=0",
    "wait task/x --for=jsonpath=.spec.state=Running; wait tasks --all --for=jsonpath={.spec.state}=Running",
    "wait task/x task/y --for=jsonpath={.spec.foo} --timeout=1s",
    "wait tasks -l no=1 --for=condition=Foo --timeout=1s; wait task/x --for=jsonpath={.a}=b=c",
    "wait task x y --for=create; wait task/none --for=create --timeout=1s; wait tasks -l no=1 --for=delete",
    "wait task/x; wait task/x --for=foo; wait task/x --for=delete --timeout=0; wait task/x --for=jsonpath={.a",
    "wait task/x --for=jsonpath={.spec.entries[*].name}=main; wait task/x --for=jsonpath={.spec.entries[0]}=main",
    """wait task/x '--for=jsonpath={.spec.entries[?(@.name=="api")].replicas}=0'""",
    "get tasks --no-headers; get task none --ignore-not-found; get tasks -o name --sort-by=.spec.entries[0].startCmd",
    "get tasks -o custom-columns=N:.metadata.name,R:.spec.entries[*].replicas; get tasks --sort-by=.metadata.name",
    "get task/x -o jsonpath={.spec.strategy}; get tasks -l no=1 -o jsonpath={.items}; get task/x -o jsonpath='{.a}!'",
)
ROWS = (*CORE, *(MORE if FULL else ()))


@pytest.mark.parametrize("row", ROWS)
def test_alike(stage: Stage, row: str) -> None:
    theirs, ours = rooms(stage)
    lines = [shlex.split(line) for line in row.split(";")]
    with ThreadPoolExecutor(1) as beside:
        expected = beside.submit(lambda: [by_kubectl(theirs.kubectl, line) for line in lines])
        found = [by_plumctl(ours, line) for line in lines]
        assert found == expected.result()
    for room in (theirs, ours):
        room.leave()


def test_diff_tells_what_apply_would_change(stage: Stage) -> None:
    theirs, ours = rooms(stage)
    for labels, code in (({"tier": "web"}, 0), ({"tier": "db"}, 1)):
        body = json.dumps(task(ours, "x") | {"metadata": {"name": "x", "labels": labels}})
        kubectl = theirs.kubectl.run("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=body)
        plumctl = run(ours, ["diff", "--force-conflicts", "-f", "-"], body)
        assert (plumctl.exit_code, kubectl.returncode) == (code, code), (plumctl.output, kubectl.stderr)
        assert changed(plumctl.stdout) == changed(kubectl.stdout)


def changed(text: str) -> list[str]:
    """The lines that were taken out and put in."""
    return [line for line in text.splitlines() if re.match(r"[+-][^+-]", line)]


def rooms(stage: Stage) -> tuple[Room, Room]:
    """Two namespaces with the same three tasks, which have come to rest."""
    number = next(_NUMBERS)
    made = stage.room(f"by-kubectl-{number}"), stage.room(f"by-plumctl-{number}")
    for room in made:
        for name in ("x", "y"):
            stage.http.post(room.path("tasks"), json=task(room, name)).raise_for_status()
        room.create("one")
    for room in made:
        wait_for("their statuses", partial(at_rest, room))
    return made


def at_rest(room: Room) -> bool:
    return all("conditions" in room.get("tasks", name)["status"] for name in ("x", "y", "one"))


def task(room: Room, name: str) -> dict[str, Any]:
    body = room.task(name, labels={"tier": "web" if name == "x" else "db"}, terminationGracePeriodSeconds=6)
    [main] = body["spec"]["entries"]
    api = main | {"name": "api", "startCmd": f"exec sleep 100{name}", "terminationGracePeriodSeconds": 5}
    return body | {"spec": {"entries": [main, api]}}


def run(room: Room, arguments: list[str], stdin: str = "") -> Any:
    environment = {"KUBECONFIG": room.stage.cluster.environ["KUBECONFIG"], "PLUM_SERVER": None, "PLUM_TOKEN": None}
    return CliRunner().invoke(cli, [*arguments, "-n", room.namespace], input=stdin, env=environment)


def by_plumctl(room: Room, arguments: list[str]) -> Said:
    done = run(room, arguments)
    return done.exit_code, ageless(done.stdout), plain(done.stderr)


def by_kubectl(kubectl: Kubectl, arguments: list[str]) -> Said:
    done = kubectl.run(*arguments)
    # Names that are printed to be read by programs have their group with both.
    bare = (
        done.stdout if "name" in arguments else re.sub(r"^(\w+)\.plum\.dev/", r"\1/", done.stdout, flags=re.MULTILINE)
    )
    return done.returncode, ageless(bare), plain(done.stderr)


def ageless(text: str) -> str:
    """Without ages, and the blanks at the ends of lines."""
    return "\n".join(re.sub(r"\b\d+s\b *", "AGE ", line).rstrip() for line in text.splitlines())


def plain(text: str) -> str:
    """The lines without the ways in which errors begin."""
    return "\n".join(_PREFIX.sub("", line) for line in text.splitlines())


# A wait that runs out in the middle of a TLS handshake leaves the socket to the garbage collector: httpcore closes it
# after errors only.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_rollouts_are_waited_for_which_kubectl_cannot(stage: Stage) -> None:
    _, room = rooms(stage)
    room.create("web", replicas=2)
    assert room.kubectl.run("rollout", "status", "task/web").returncode == 1
    for command in ("restart", "patch"):
        followed = run(room, ["rollout", "status", "task/web", "--timeout=45s"])
        assert (followed.exit_code, followed.stdout.splitlines()[-1]) == (0, 'task "web" successfully rolled out')
        before = {copy["metadata"]["name"] for copy in room.copies("web")}
        if command == "restart":
            assert run(room, ["rollout", "restart", "task/web"]).stdout == "task/web restarted\n"
        else:
            change = '[{"op":"replace","path":"/spec/entries/0/startCmd","value":"sleep 1001"}]'
            assert run(room, ["patch", "task/web", "--type=json", "-p", change]).exit_code == 0
        assert run(room, ["rollout", "status", "task/web", "--timeout=45s"]).exit_code == 0
        now = room.copies("web")
        assert not before & {copy["metadata"]["name"] for copy in now}
        assert [copy["status"]["phase"] for copy in now] == ["Running"] * 2
    room.leave()
