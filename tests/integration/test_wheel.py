"""What is packed: the built web UI where there is one, and all that it takes to build it."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

PACKAGES = ["apiserver", "controllers", "agent", "plumctl"]
FILES = ["pyproject.toml", "README.md", "LICENSE", ".gitignore"]
BUILT = "apiserver/server/ui"
PAGE, SCRIPT = f"{BUILT}/index.html", f"{BUILT}/assets/index-B1s2.js"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The packages as in a fresh clone, with a little of the UI's source."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "ui" if name == "apiserver" else "")
        shutil.copytree(name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(name, folder / name)
    put(folder, "ui/package-lock.json", "ui/src/main.ts", "ui/node_modules/vue/index.js")
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def build(tree: Path, target: str) -> Path:
    """The one file that comes out, made without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", "out"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (made,) = (tree / "out").iterdir()
    return made


def test_a_wheel_has_the_ui_that_was_built(tree: Path) -> None:
    put(tree, PAGE, SCRIPT)
    names = zipfile.ZipFile(build(tree, "wheel")).namelist()
    assert {PAGE, SCRIPT, "apiserver/server/http/ui.py"} <= set(names)
    assert [name for name in names if name.startswith("ui/")] == []


def test_a_wheel_without_it_is_a_wheel(tree: Path) -> None:
    names = zipfile.ZipFile(build(tree, "wheel")).namelist()
    assert "apiserver/server/http/ui.py" in names
    assert [name for name in names if name.startswith(f"{BUILT}/")] == []


def test_the_source_can_build_it_and_has_it(tree: Path) -> None:
    put(tree, PAGE, SCRIPT)
    with tarfile.open(build(tree, "sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tree.parent / "unpacked", filter="data")
    assert {PAGE, SCRIPT, "ui/package-lock.json", "ui/src/main.ts"} <= names
    assert [name for name in names if "node_modules" in name] == []
    (unpacked,) = (tree.parent / "unpacked").iterdir()
    assert {PAGE, SCRIPT} <= set(zipfile.ZipFile(build(unpacked, "wheel")).namelist())
