"""Files to checked objects: order, namespaces, and all errors before anything is sent."""

from pathlib import Path

import pytest

from apiserver.api.scheme import SCHEME
from plumctl.manifests import ORDER, BadManifests, read_manifests

TASK = "apiVersion: plum.dev/v1\nkind: Task\nmetadata: {name: NAME}\nspec: {entries: [{artifactUrl: /x}]}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_folders_are_read_whole_and_ordered_by_need(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yaml": TASK.replace("NAME", "one"),
            "sub/b.yml": TASK.replace("NAME", "two") + "---\n" + NAMESPACE,
            "app/meta.ini": "name=x",
            "app/not-a-manifest.yaml": "nonsense: [",
            ".hidden/c.yaml": "nonsense: [",
            "notes.txt": "nonsense: [",
        },
    )
    found = read_manifests([str(tmp_path)], namespace="here")
    assert [str(manifest) for manifest in found] == ["namespace/team", "task/one", "task/two"]
    assert [manifest.namespace for manifest in found] == ["", "here", "here"]
    assert found[1].body["spec"]["entries"][0]["name"] == "main"


def test_every_kind_has_its_place_in_the_order() -> None:
    assert {kind.name for kind in SCHEME} == set(ORDER)


@pytest.mark.parametrize("example", sorted(path.parent.name for path in Path("manifests").glob("*/app")))
def test_every_example_is_read(example: str) -> None:
    found = read_manifests([f"manifests/{example}"], namespace="default")
    assert f"task/{example}" in map(str, found)


def test_lists_are_taken_apart(tmp_path: Path) -> None:
    items = "".join("  - " + TASK.replace("NAME", n).replace("\n", "\n    ").rstrip() + "\n" for n in "ab")
    write(tmp_path, {"l.yaml": "apiVersion: v1\nkind: List\nitems:\n" + items})
    assert [str(m) for m in read_manifests([str(tmp_path / "l.yaml")], namespace="d")] == ["task/a", "task/b"]


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yaml": TASK.replace("NAME", "one") + "---\n" + TASK.replace("NAME", "one"),
            "b.yaml": TASK.replace("NAME", "Two").replace("/x", "ftp://x"),
            "c.yaml": "kind: Pod\napiVersion: v1\n---\n- 1\n",
            "d.yaml": "a: [",
        },
    )
    with pytest.raises(BadManifests) as caught:
        read_manifests([str(tmp_path), str(tmp_path / "none.yaml")], namespace="d")
    lines = str(caught.value).splitlines()
    for text in (
        "a.yaml (document 2, line 6): task/one is also in",
        "b.yaml (document 1, line 1): metadata.name: Invalid value",
        "b.yaml (document 1, line 1): spec.entries[0].artifactUrl: Invalid value",
        "c.yaml: document 2, line 4: a document must be a mapping",
        "d.yaml: document 1, line 2: not YAML",
        "none.yaml: no such file or folder",
    ):
        assert any(text in line for line in lines), (text, lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no objects in"),
        ("kind: Task", "apiVersion and kind are required"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}", "there is no kind 'Pod' in 'v1'; there are"),
        (TASK.replace("{name: NAME}", "{generateName: x}"), "apply needs a name"),
        (TASK.replace("NAME", "x, namespace: Up"), "metadata.namespace"),
    ],
)
def test_errors(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, {"f.yaml": text})
    with pytest.raises(BadManifests) as caught:
        read_manifests([str(tmp_path / "f.yaml")], namespace="default")
    assert words in str(caught.value)
