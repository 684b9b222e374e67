"""Files to checked objects: all errors at once, each with its file, document and field."""

from pathlib import Path

import pytest

from plumctl.manifests import BadManifests, read_manifests

TASK = """
apiVersion: plum.dev/v1
kind: Task
metadata: {name: %s}
spec:
  entries:
    - app: {name: a, version: "1"}
%s
"""


def write(path: Path, name: str = "web", more: str = "") -> Path:
    path.write_text(TASK % (name, more))
    return path


def errors(*paths: Path) -> list[str]:
    with pytest.raises(BadManifests) as caught:
        read_manifests([str(path) for path in paths], namespace="default")
    return str(caught.value).splitlines()


def test_order_namespace_and_lists(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml")
    (tmp_path / "b.json").write_text(
        '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}]}'
    )
    found = read_manifests([str(tmp_path)], namespace="default")
    assert [(str(manifest), manifest.namespace) for manifest in found] == [("namespace/n", ""), ("task/web", "default")]


def test_folders_of_apps_and_hidden_files_hold_no_manifests(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml")
    write(tmp_path / ".hidden.yaml", "hidden")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "meta.ini").write_text("name=a\nversion=1\n")
    (tmp_path / "app" / "config.yaml").write_text("no: manifest")
    assert [str(found) for found in read_manifests([str(tmp_path)], namespace="x")] == ["task/web"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param("      surprise: 1", 'unknown field "spec.entries[0].surprise"', id="unknown field"),
        pytest.param('      replicas: "2"', "spec.entries[0].replicas", id="wrong type"),
        pytest.param("      replicas: -1", "spec.entries[0].replicas", id="negative"),
        pytest.param("      replicas: 1\n      nodeReplicas: {nodeA: 1}", "not both", id="both kinds of replicas"),
        pytest.param("      replicas: 1\n      replicas: 2", "duplicate field", id="given twice"),
    ],
)
def test_a_wrong_field_is_named_with_its_file_and_document(tmp_path: Path, more: str, field: str) -> None:
    path = write(tmp_path / "task.yaml", more=more)
    [error] = errors(path)
    assert error.startswith(f"{path} (document 1, line ")
    assert field in error


def test_a_name_too_long(tmp_path: Path) -> None:
    [error] = errors(write(tmp_path / "task.yaml", name="a" * 41))
    assert "metadata.name" in error
    assert "40" in error


def test_all_errors_of_all_documents_are_told(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(TASK % ("one", "      replicas: -1") + "---" + TASK % ("two", "      replicas: -1"))
    found = errors(path, tmp_path / "absent.yaml")
    assert ["document 1" in found[0], "document 2" in found[1], "no such file" in found[2]] == [True] * 3


def test_the_same_object_twice(tmp_path: Path) -> None:
    [error] = errors(write(tmp_path / "a.yaml"), write(tmp_path / "b.yaml"))
    assert "task/web is also in" in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: " + "x" * 4_000_000, "over the limit", id="too large"),
        pytest.param("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
        ), "more than 100000 values", id="bomb"),
        pytest.param("kind: Task", "apiVersion and kind are required", id="no apiVersion"),
        pytest.param("apiVersion: v2\nkind: Nonsense", "there is no kind", id="unknown kind"),
        pytest.param("- a\n- b", "must be a mapping", id="a list"),
        pytest.param("a: [", "not YAML", id="not YAML"),
        pytest.param("", "no objects", id="empty"),
    ],
)  # fmt: skip
def test_what_is_no_manifest(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    [error] = errors(path)
    assert str(path) in error
    assert message in error
