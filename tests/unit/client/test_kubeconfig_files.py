import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from apiserver.client import kubeconfig_files as files
from apiserver.client.config import ConfigError
from apiserver.client.kubeconfig import from_documents


def add_context(document: files.Document, name: str) -> None:
    files.put(document, "cluster", name, {"server": f"http://{name}:1"})
    files.put(document, "context", name, {"cluster": name})
    document["current-context"] = name


def test_a_file_is_made_changed_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    files.edit(path, lambda document: add_context(document, "one"))
    files.edit(path, lambda document: add_context(document, "two"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config"]
    document = files.read(path)
    assert list(files.items(document, "context")) == ["one", "two"]
    assert from_documents([(path, document)]).server == "http://two:1"
    assert from_documents([(path, document)], "one").server == "http://one:1"


def test_a_change_outlasts_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file reaches the disk before its name does, and then the name."""
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def recorded(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def renamed(old: str, new: Path) -> None:
        done.append("name")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", recorded)
    monkeypatch.setattr(os, "replace", renamed)
    files.edit(tmp_path / "config", lambda document: add_context(document, "one"))
    assert done == ["file", "name", "folder"]


def test_fields_are_set_and_taken_out_and_others_stay(tmp_path: Path) -> None:
    document: dict[str, Any] = {"users": [{"name": "u", "user": {"token": "t", "exec": {"command": "x"}}}], "x": 1}
    assert not files.put(document, "user", "u", {"token": None, "tokenFile": "f"})
    assert document == {"users": [{"name": "u", "user": {"exec": {"command": "x"}, "tokenFile": "f"}}], "x": 1}
    assert files.put(document, "user", "v", {"token": "t"})
    assert files.remove(document, "user", "u")
    assert not files.remove(document, "user", "u")
    assert not files.remove(document, "cluster", "u")
    assert files.items(document, "user") == {"v": {"token": "t"}}


def test_a_change_that_fails_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "config"
    files.edit(path, lambda document: add_context(document, "one"))
    before = path.read_bytes()

    def fail(document: files.Document) -> None:
        document.clear()
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        files.edit(path, fail)
    assert path.read_bytes() == before


def test_changes_at_one_time_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "config"
    names = [f"c{number}" for number in range(12)]
    threads = [
        threading.Thread(target=files.edit, args=(path, lambda document, name=name: add_context(document, name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(files.items(files.read(path), "context")) == sorted(names)


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(yaml.safe_dump(files.empty()))
    (tmp_path / "link").symlink_to("real")
    files.edit(tmp_path / "link", lambda document: add_context(document, "one"))
    assert (tmp_path / "link").is_symlink()
    assert list(files.items(files.read(tmp_path / "real"), "cluster")) == ["one"]


def test_what_is_new_goes_where_kubectl_puts_it(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    home = {"HOME": str(tmp_path)}
    several = {"KUBECONFIG": f"{tmp_path}/none:{tmp_path}/there:{tmp_path}/last"}
    assert files.place(home) == tmp_path / ".kube" / "config"
    assert files.place(several) == tmp_path / "there"
    assert files.place({"KUBECONFIG": f"{tmp_path}/none:{tmp_path}/last"}) == tmp_path / "last"
    assert files.place(several, "given") == Path("given")


@pytest.mark.parametrize("listed", [None, "x", [1, {"name": "k"}, {"name": "k", "cluster": [1]}]])
def test_documents_of_another_shape_are_no_harm(listed: Any) -> None:
    document: dict[str, Any] = {"clusters": listed}
    files.items(document, "cluster")
    files.remove(document, "cluster", "none")
    files.put(document, "cluster", "k", {"server": "s"})
    assert files.items(document, "cluster")["k"] == {"server": "s"}
