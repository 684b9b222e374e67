"""label, annotate, patch, scale, create, replace, apply's options and edit, against a real server.

That label, annotate, patch and wait say what kubectl says is tested beside it in tests/kubectl/test_plumctl.py.
"""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.plumctl.conftest import Ctl

TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"


def entry(name: str = "main", **more: Any) -> dict[str, Any]:
    return {"name": name, "artifactUrl": "http://x/y.zip", "sha256": "a" * 64} | more


def task(name: str, *entries: dict[str, Any], **labels: str) -> str:
    metadata = {"name": name, "labels": labels}
    spec = {"entries": entries or (entry(),)}
    return json.dumps({"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": metadata, "spec": spec})


def made(ctl: Ctl, name: str, *entries: dict[str, Any], **labels: str) -> str:
    done = ctl("apply", "-f", "-", stdin=task(name, *entries, **labels))
    assert done.exit_code == 0, done.stderr
    return f"task/{name}"


def read(ctl: Ctl, what: str) -> Any:
    return json.loads(ctl("get", what, "-o", "json").stdout)


def refused(result: Any, *texts: str, code: int = 1) -> None:
    assert result.exit_code == code, result.output
    assert all(text in result.stderr for text in texts), result.stderr


def test_a_label_is_not_lost_to_one_that_was_set_meanwhile(ctl: Ctl, server: str) -> None:
    what = made(ctl, "labelled", a="1")
    assert ctl("label", what, "b=2", "a-").stdout == f"{what} labeled\n"
    assert read(ctl, what)["metadata"]["labels"] == {"b": "2"}
    shown = ctl("label", what, "c=3", "-o", "jsonpath={.metadata.labels}", "--dry-run=client").stdout
    assert json.loads(shown) == {"b": "2", "c": "3"}
    assert read(ctl, what)["metadata"]["labels"] == {"b": "2"}
    refused(ctl("label", what, "b=3", "b2="), "'b' already has a value (2), and --overwrite is false")
    refused(ctl("label", "task", "x=1"), "name the object", code=2)


def test_annotations(ctl: Ctl) -> None:
    what = made(ctl, "annotated")
    assert ctl("annotate", what, "example.com/who=ann").stdout == f"{what} annotated\n"
    assert ctl("annotate", what, "--list").stdout == "example.com/who=ann\n"
    assert ctl("annotate", "-f", "-", "more=x", stdin=task("annotated")).stdout == f"{what} annotated\n"
    assert ctl("annotate", "tasks", "--field-selector", "metadata.name=annotated", "more-").exit_code == 0
    assert read(ctl, what)["metadata"]["annotations"] == {"example.com/who": "ann"}


def test_patches(ctl: Ctl, tmp_path: Path) -> None:
    what = made(ctl, "patched", entry(replicas=1))
    file = tmp_path / "patch.yaml"
    file.write_text("- op: replace\n  path: /spec/entries/0/replicas\n  value: 5\n")
    assert ctl("patch", what, "--type=json", "--patch-file", str(file)).stdout == f"{what} patched\n"
    assert read(ctl, what)["spec"]["entries"][0]["replicas"] == 5
    dry = ctl("patch", what, "-p", "spec: {state: Stopped}", "--dry-run")
    assert dry.stdout == f"{what} patched (server dry run)\n"
    shown = ctl("patch", what, "-p", "spec: {state: Stopped}", "--dry-run=client", "-o", "jsonpath={.spec.state}")
    assert (shown.stdout, read(ctl, what)["spec"]["state"]) == ("Stopped", "Running")
    refused(ctl("patch", what, "--type=strategic", "-p", "{}"), "use --type=merge", "--type=json")
    refused(ctl("patch", what, "-p", "{}", "--patch-file", str(file)), "cannot specify --patch and --patch-file")
    refused(ctl("patch", what, "--patch-file", str(tmp_path)), "unable to read patch file")
    refused(ctl("patch", what, "-p", '{"a":'), "unable to parse the patch")
    refused(ctl("patch", what, "-p", "a: ["), "unable to parse the patch")
    refused(ctl("patch", what, "-p", "spec: {nope: 1}"), 'unknown field "spec.nope"')


def test_scale(ctl: Ctl) -> None:
    one, two = made(ctl, "one", kind="s"), made(ctl, "two", entry(replicas=1), entry("api", replicas=1))
    assert ctl("scale", one, "--replicas=3", "--current-replicas=1").stdout == f"{one} scaled\n"
    assert ctl("scale", f"{two}/api=4", f"{two}/main=2", f"{one}=5").stdout == f"{two} scaled\n{one} scaled\n"
    assert [found.get("replicas") for found in read(ctl, two)["spec"]["entries"]] == [2, 4]
    assert ctl("scale", "tasks", "-l", "kind=s", "--replicas=0", "--dry-run=server").stdout.endswith(
        "scaled (server dry run)\n"
    )
    assert read(ctl, one)["spec"]["entries"][0]["replicas"] == 5
    refused(ctl("scale", two, "--replicas=3"), "has 2 entries: main, api; name the one to scale")
    refused(ctl("scale", one, "--replicas=3", "--current-replicas=4"), "Expected replicas to be 4, was 5")
    refused(ctl("scale", one, "--replicas=3", "--resource-version=1"), "Expected resource version to be 1, was ")
    refused(ctl("scale", "tasks", "--all"), "--replicas=COUNT flag is required")
    refused(ctl("scale", "node/n", "--replicas=1"), "tasks can be scaled")
    refused(ctl("scale", one, "--replicas=1", "--timeout=200ms"), "timed out waiting for task/one to be scaled")


def test_create_and_replace(ctl: Ctl) -> None:
    body = task("whole", entry(replicas=1), a="b")
    assert ctl("create", "-f", "-", "--dry-run=client", stdin=body).stdout == "task/whole created (dry run)\n"
    refused(ctl("replace", "-f", "-", stdin=body), 'tasks.plum.dev "whole" not found')
    assert ctl("create", "-f", "-", stdin=body).stdout == "task/whole created\n"
    refused(ctl("create", "-f", "-", stdin=body), "already exists")
    assert ctl("replace", "-f", "-", "-o", "name", stdin=task("whole")).stdout == "task.plum.dev/whole\n"
    found = ctl("get", "task/whole", "-o", "yaml").stdout
    assert "labels" not in read(ctl, "task/whole")["metadata"]
    assert ctl("label", "task/whole", "x=y").exit_code == 0
    refused(ctl("replace", "-f", "-", stdin=found), "the object has been modified")


def test_apply_in_kubectls_words(ctl: Ctl) -> None:
    body = task("worded", only="this")
    assert ctl("apply", "-f", "-", "--dry-run=client", stdin=body).stdout == "task/worded created (dry run)\n"
    assert ctl("apply", "--server-side", "-f", "-", stdin=body).stdout == "task/worded serverside-applied\n"
    assert ctl("apply", "-f", "-", "-o", "name", stdin=body).stdout == "task.plum.dev/worded\n"
    both = f"{body}\n---\n{task('unworded')}"
    assert ctl("apply", "-f", "-", "-l", "only=this", stdin=both).stdout == "task/worded unchanged\n"
    refused(ctl("apply", "-f", "-", "-l", "a in (", stdin=body), "--selector: ")
    other = ctl("apply", "-f", "-", "--field-manager=other", stdin=task("worded", only="that"))
    refused(other, "another manager owns these fields; --force-conflicts takes them over")
    forced = ctl("apply", "-f", "-", "--field-manager=other", "--force-conflicts", stdin=task("worded", only="that"))
    assert forced.stdout == "task/worded configured\n"


def test_apply_prunes_what_it_applied_before(ctl: Ctl, server: str) -> None:
    for name in ("keep", "drop"):
        made(ctl, name, suite="s")
    theirs = json.loads(task("theirs", suite="s"))
    assert httpx.post(f"{server}{TASKS}", json=theirs, trust_env=False).status_code == 201
    made(ctl, "elsewhere", suite="t")
    refused(ctl("apply", "-f", "-", "--prune", stdin=task("keep")), "without explicitly passing --all")
    refused(
        ctl("apply", "-f", "-", "--prune", "--all", "--prune-allowlist=core/v1/Pot", stdin=task("keep")),
        "there is no such kind; write GROUP/VERSION/KIND",
    )
    prune = ("apply", "-f", "-", "--prune", "-l", "suite=s")
    kept = task("keep", suite="s")
    assert ctl(*prune, "--dry-run", stdin=kept).stdout.splitlines() == [
        "task/keep unchanged (server dry run)",
        "task/drop pruned (server dry run)",
    ]
    assert ctl(*prune, "--prune-allowlist=plum.dev/v1/Service", stdin=kept).stdout == "task/keep unchanged\n"
    assert ctl(*prune, stdin=kept).stdout == "task/keep unchanged\ntask/drop pruned\n"
    assert ctl(*prune, stdin=kept).stdout == "task/keep unchanged\n"
    names = ctl("get", "tasks", "-l", "suite", "-o", "jsonpath={.items[*].metadata.name}").stdout.split()
    assert names == ["elsewhere", "keep", "theirs"]


def editor(folder: Path, *steps: str) -> dict[str, str]:
    """An editor that does one step each time it is opened: Python over ``text``."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "count = pathlib.Path(__file__).with_name('count')\n"
        "turn = int(count.read_text()) if count.exists() else 0\n"
        "count.write_text(str(turn + 1))\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "text = path.read_text()\n"
        "pathlib.Path(__file__).with_name(f'seen-{turn}').write_text(text)\n"
        f"exec({list(steps)!r}[turn])\n"
        "path.write_text(text)\n"
    )
    return {"KUBE_EDITOR": f"{sys.executable} {script}", "TMPDIR": str(folder)}


@pytest.fixture
def edit(ctl: Ctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(what: str, *steps: str, options: tuple[str, ...] = ()) -> Any:
        (tmp_path / "count").unlink(missing_ok=True)
        for name, value in editor(tmp_path, *steps).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        return ctl("edit", what, *options)

    return run


STOP = "text = text.replace('Running', 'Stopped')"


def test_edit(ctl: Ctl, edit: Any, tmp_path: Path) -> None:
    what = made(ctl, "edited", entry(startCmd="a\nb"))
    assert edit(what, STOP).stdout == f"{what} edited\n"
    assert (read(ctl, what)["spec"]["state"], read(ctl, what)["spec"]["entries"][0]["startCmd"]) == ("Stopped", "a\nb")
    assert edit(what, "text = text.replace('Stopped', 'Running')", options=("-o", "json")).exit_code == 0
    unchanged = edit(what, "")
    assert (unchanged.exit_code, unchanged.stderr) == (0, "Edit cancelled, no changes made.\n")
    empty = edit(what, "text = '# nothing\\n'")
    assert (empty.exit_code, empty.stderr) == (0, "Edit cancelled, saved file was empty.\n")
    assert read(ctl, what)["spec"]["state"] == "Running"
    assert [path.name for path in tmp_path.glob("plumctl-edit-*")] == []


def test_edit_opens_again_what_is_refused(ctl: Ctl, edit: Any, tmp_path: Path) -> None:
    what = made(ctl, "reopened")
    mended = edit(what, STOP.replace("Stopped", "Jumping"), "text = text.replace('Jumping', 'Stopped')")
    assert mended.stdout == f"{what} edited\n"
    assert "# * spec.state: Unsupported value" in (tmp_path / "seen-1").read_text()
    spoiled = edit(what, "text += '- ['", "")
    refused(spoiled, "Edit cancelled, no valid changes were saved.", "A copy of your changes has been stored to")
    [kept] = tmp_path.glob("plumctl-edit-*")
    assert kept.read_text().endswith("- [")
    refused(edit(what, "sys.exit(3)"), "ended with code 3; nothing was changed")


def test_edit_loses_nothing_of_what_others_write_meanwhile(ctl: Ctl, edit: Any, server: str, tmp_path: Path) -> None:
    what = made(ctl, "meanwhile", entry(replicas=1))
    curl = "import httpx; httpx.patch({url!r}, content={body!r}, headers={headers!r}, trust_env=False)\n"
    headers = {"content-type": "application/merge-patch+json"}
    elsewhere = curl.format(url=f"{server}{TASKS}/meanwhile", body='{"metadata":{"labels":{"a":"b"}}}', headers=headers)
    assert edit(what, elsewhere + STOP).stdout == f"{what} edited\n"
    assert read(ctl, what)["metadata"]["labels"] == {"a": "b"}
    entries = json.dumps({"spec": {"entries": [entry(replicas=7)]}})
    same = curl.format(url=f"{server}{TASKS}/meanwhile", body=entries, headers=headers)
    refused(edit(what, same + "text = text.replace('replicas: 1', 'replicas: 2')", ""), "no valid changes were saved")
    assert "somebody has changed spec.entries meanwhile" in (tmp_path / "seen-1").read_text()
    assert read(ctl, what)["spec"]["entries"][0]["replicas"] == 7
