"""What kubectl and plumctl can both do, they do alike: for the same arguments the same words and the same exit codes.

Each row is given to both, each in a namespace of its own with the same two tasks. Two things are not compared: plumctl
names objects without their group (``task/x``), and kubectl begins errors in several ways, plumctl with ``error:``.
"""

import json
import os
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from plumctl.commands import cli
from tests.kubectl.program import Kubectl

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
    "wait task/x --for=condition=Available --timeout=0; wait task/x --for=jsonpath={.spec.state}=Running",
    "wait task/x --for=delete --timeout=0; wait task/none --for=delete; wait task/none --for=condition=A",
    "get task x -L tier,plum.dev/foo --show-labels; get tasks --no-headers -o custom-columns=N:.metadata.name,X:.nope",
    r"""get tasks -o 'jsonpath={range .items[*]}{.kind}{"\t"}{.spec.entries[?(@.replicas>2)].name}{"\n"}{end}'""",
)
MORE = (
    "label tasks --all q=1 z-; label task/x a- n=1; label task/x b-",
    "label task/none task/x a=2 --overwrite; label task/none a=1",
    "label task x; label x=y task/x; label task/x task/y u=1 --resource-version=4",
    "label task/x n=5 --resource-version=1",
    "label task -l tier=web nn=1; label task -l nope=1 nn=1; label task/x a=c tier=db",
    "label task/x task/y m=1 --dry-run=server; label task/x m=1 --dry-run=client; label task/x m=1 -o name",
    "annotate task x c=d; annotate task/x c=d; annotate task/x c=e --overwrite; annotate task/x gone-",
    "annotate task x; annotate task/none c=d; annotate task/x task/y e=f; annotate task/x --list",
    """patch task/x --type json -p '[{"op":"add","path":"/metadata/labels/k","value":"v"}]'""",
    "patch task/x --type merge; patch task/x --type foo -p {}",
    """patch task/x task/y --type merge -p '{"metadata":{"labels":{"k":"w"}}}' -o name""",
    """patch task/none --type merge -p {}; patch task/x --subresource=status --type merge -p 'status: {replicas: 1}'""",
    "wait task/x --for=condition=Available --timeout=1s; wait task/none --for=condition=Available --timeout=5s",
    "wait task/x '--for=jsonpath={.spec.state}'; wait task/x '--for=jsonpath={.spec.state}=Nope' --timeout=0",
    "wait task/x --for=jsonpath=.spec.state=Running; wait tasks --all --for=jsonpath={.spec.state}=Running",
    "wait task/x task/y --for=jsonpath={.spec.foo} --timeout=1s",
    "wait tasks -l no=1 --for=condition=Foo --timeout=1s; wait task/x --for=jsonpath={.a}=b=c",
    "wait task x y --for=create; wait task/none --for=create --timeout=1s; wait tasks -l no=1 --for=delete",
    "wait task/x; wait task/x --for=foo; wait task/x --for=delete --timeout=0; wait task/x --for=jsonpath={.a",
    "wait task/x --for=jsonpath={.spec.entries[*].name}=main; wait task/x --for=jsonpath={.spec.entries[0]}=main",
    """wait task/x '--for=jsonpath={.spec.entries[?(@.name=="api")].replicas}=3'""",
    "get tasks --no-headers; get task none --ignore-not-found; get tasks -o name --sort-by=.spec.entries[0].replicas",
    "get tasks -o custom-columns=N:.metadata.name,R:.spec.entries[*].replicas; get tasks --sort-by=.metadata.name",
    "get task/x -o jsonpath={.spec.strategy}; get tasks -l no=1 -o jsonpath={.items}; get task/x -o jsonpath='{.a}!'",
)
ROWS = (*CORE, *(MORE if os.environ.get("PLUM_SOAK_KUBECTL") else ()))


@pytest.mark.parametrize("row", ROWS)
def test_alike(alone: Kubectl, row: str) -> None:
    number = next(_NUMBERS)
    theirs, ours = f"kubectl-{number}", f"plumctl-{number}"
    for namespace in (theirs, ours):
        prepare(alone.options[1], namespace)
    lines = [shlex.split(line) for line in row.split(";")]
    with ThreadPoolExecutor(1) as beside:
        expected = beside.submit(lambda: [by_kubectl(alone, theirs, line) for line in lines])
        found = [by_plumctl(alone, ours, line) for line in lines]
        assert found == expected.result()


def test_diff_tells_what_apply_would_change(alone: Kubectl) -> None:
    theirs, ours = "kubectl-diff", "plumctl-diff"
    for namespace in (theirs, ours):
        prepare(alone.options[1], namespace)
    for change, code in ((None, 0), ({"labels": {"tier": "db"}}, 1)):
        body = json.dumps(task("x") | {"metadata": {"name": "x"} | (change or task("x")["metadata"])})
        kubectl = alone.run("diff", "--server-side", "--force-conflicts", "-f", "-", "-n", theirs, stdin=body)
        plumctl = CliRunner().invoke(
            cli, ["diff", "--force-conflicts", "-n", ours, "-f", "-"], input=body, env=environ(alone)
        )
        assert (plumctl.exit_code, kubectl.returncode) == (code, code), (plumctl.output, kubectl.stderr)
        assert changed(plumctl.stdout) == changed(kubectl.stdout)


def changed(text: str) -> list[str]:
    """The lines that were taken out and put in."""
    return [line for line in text.splitlines() if re.match(r"[+-][^+-]", line)]


def task(name: str) -> dict[str, Any]:
    entry = {"artifactUrl": "http://x/y.zip", "sha256": "a" * 64}
    entries = [entry | {"name": "main", "replicas": 2}, entry | {"name": "api", "replicas": 3}]
    metadata = {"name": name, "labels": {"tier": "web"} if name == "x" else {"tier": "db"}}
    return {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": metadata, "spec": {"entries": entries}}


def prepare(server: str, namespace: str) -> None:
    bodies: list[tuple[str, Any]] = [
        ("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        *((f"/apis/plum.dev/v1/namespaces/{namespace}/tasks", task(name)) for name in "xy"),
    ]
    for path, body in bodies:
        assert httpx.post(f"{server}{path}", json=body, trust_env=False).status_code == 201


def environ(kubectl: Kubectl) -> dict[str, str | None]:
    return {"PLUM_SERVER": kubectl.options[1], "KUBECONFIG": None, "PLUM_TOKEN": None, "HOME": str(kubectl.home)}


def by_plumctl(kubectl: Kubectl, namespace: str, arguments: list[str]) -> Said:
    done = CliRunner().invoke(cli, [*arguments, "-n", namespace], env=environ(kubectl))
    return done.exit_code, done.stdout, plain(done.stderr)


def by_kubectl(kubectl: Kubectl, namespace: str, arguments: list[str]) -> Said:
    done = kubectl.run(*arguments, "-n", namespace)
    # Names that are printed to be read by programs have their group with both.
    bare = (
        done.stdout if "name" in arguments else re.sub(r"^(\w+)\.plum\.dev/", r"\1/", done.stdout, flags=re.MULTILINE)
    )
    return done.returncode, bare, plain(done.stderr)


def plain(text: str) -> str:
    """The lines without the ways in which errors begin."""
    return "\n".join(_PREFIX.sub("", line) for line in text.splitlines())
