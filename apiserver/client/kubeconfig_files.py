"""Kubeconfig files as documents: found as kubectl finds them, read, changed and replaced at once.

What a document holds beyond what we know stays in it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from apiserver.client.config import ConfigError
from apiserver.client.replacing import replace_file

MAX_BYTES = 1024 * 1024

Document = dict[str, Any]
Documents = Sequence[tuple[Path, Document]]
What = Literal["cluster", "user", "context"]
T = TypeVar("T")


def existing(environ: Mapping[str, str], kubeconfig: str = "") -> list[Path]:
    """The files that count together: ``kubeconfig`` alone if it is given, else those of KUBECONFIG that exist, else
    ``~/.kube/config`` if it does. Raises ConfigError where KUBECONFIG names none that exists."""
    if kubeconfig:
        return [Path(kubeconfig).expanduser()]
    if named := _named_files(environ):
        if found := [path for path in named if path.exists()]:
            return found
        raise ConfigError(f"KUBECONFIG names no file that exists: {', '.join(map(str, named))}")
    home = _home(environ)
    return [home] if home.exists() else []


def place(environ: Mapping[str, str], kubeconfig: str = "") -> Path:
    """The file that takes what is new, as kubectl chooses it: the one given, else the first of KUBECONFIG that
    exists, else its last, else ``~/.kube/config``. It need not exist."""
    if kubeconfig:
        return Path(kubeconfig).expanduser()
    named = _named_files(environ)
    if not named:
        return _home(environ)
    return next((path for path in named if path.exists()), named[-1])


def _named_files(environ: Mapping[str, str]) -> list[Path]:
    return [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"


def read(path: Path) -> Document:
    """The document in a file. Raises ConfigError that names it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"kubeconfig {path}: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"kubeconfig {path}: larger than {MAX_BYTES} bytes")
    try:
        document = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"kubeconfig {path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"kubeconfig {path}: expected a mapping with clusters, users and contexts")
    return document


def write(path: Path, document: Document) -> None:
    """Replace the file, or what the link points to, at once and durably; only its owner may read it. Raises OSError."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(document, sort_keys=False)
    replace_file(path, text.encode(), prefix=f".{path.name}.")


def edit(path: Path, change: Callable[[Document], T]) -> T:
    """Read the file, which need not exist, let ``change`` change the document in place, and write it; one at a time.

    What ``change`` raises leaves the file as it is. Raises ConfigError, OSError.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent):
        document = read(path) if path.exists() and path.stat().st_size else empty()
        result = change(document)
        write(path, document)
    return result


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone in the folder; the kernel takes the lock back however we end, and no file of it stays."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def empty() -> Document:
    """A kubeconfig with nothing in it."""
    return {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": [], "current-context": ""}


def current_context(documents: Documents) -> str:
    """The name of the current context; empty where none is set."""
    return next((str(name) for _, document in documents if (name := document.get("current-context"))), "")


def items(document: Document, what: What) -> dict[str, Document]:
    """The clusters, users or contexts of a document by name, the first of each."""
    listed = document.get(f"{what}s")
    found: dict[str, Document] = {}
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(value := item.get(what) or {}, dict):
            found.setdefault(str(item.get("name", "")), value)
    return found


def named(documents: Documents, what: What, name: str) -> tuple[Path, Document]:
    """The first cluster, user or context of that name, and the file it is in. Raises ConfigError."""
    for path, document in documents:
        listed = document.get(f"{what}s")
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, dict) and item.get("name") == name:
                value = item.get(what) or {}
                if not isinstance(value, dict):
                    raise ConfigError(f"kubeconfig {path}: {what} {name!r} must be a mapping")
                return path, value
    where = ", ".join(str(path) for path, _ in documents)
    raise ConfigError(f"kubeconfig {where}: there is no {what} {name!r}")


def put(document: Document, what: What, name: str, fields: Mapping[str, Any]) -> bool:
    """Set fields of a cluster, user or context, which is made if it is missing; None takes a field out. Whether it was
    made."""
    listed = document.get(f"{what}s")
    if not isinstance(listed, list):
        listed = document[f"{what}s"] = []
    item = next((item for item in listed if isinstance(item, dict) and item.get("name") == name), None)
    is_new = item is None
    if item is None:
        item = {"name": name}
        listed.append(item)
    value = item.get(what)
    if not isinstance(value, dict):
        value = item[what] = {}
    value.update({key: setting for key, setting in fields.items() if setting is not None})
    for key in [key for key, setting in fields.items() if setting is None]:
        value.pop(key, None)
    return is_new


def remove(document: Document, what: What, name: str) -> bool:
    """Take a cluster, user or context out of the document; whether it was there."""
    listed = document.get(f"{what}s")
    if not isinstance(listed, list):
        return False
    kept = [item for item in listed if not (isinstance(item, dict) and item.get("name") == name)]
    document[f"{what}s"] = kept
    return len(kept) < len(listed)
