"""Finding the API server: an address, or a kubeconfig file as kubectl reads it.

The whole kubeconfig format is large; what is not understood (client certificates, exec plugins, …) is refused
by name rather than ignored, since ignoring it would talk to a server in another way than its owner meant.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from apiserver.client.config import DEFAULT_SERVER, Config, ConfigError, checked_server

MAX_BYTES = 1024 * 1024

_CLUSTER_KEYS = frozenset({"server", "extensions"})
_USER_KEYS = frozenset({"token", "tokenFile", "extensions"})


def load(environ: Mapping[str, str], *, server: str = "", kubeconfig: str = "") -> Config:
    """The first of: ``server`` or PLUM_SERVER; the current context of ``kubeconfig`` or KUBECONFIG (several
    files joined by ``:``, the first to name something wins); that of ``~/.kube/config`` if it exists; port
    8080 of this machine. PLUM_TOKEN overrides the token of any. Raises ConfigError."""
    token = environ.get("PLUM_TOKEN", "").strip()
    if address := server or environ.get("PLUM_SERVER", ""):
        return Config(checked_server(address, "--server or PLUM_SERVER"), token)
    paths = _kubeconfig_paths(environ, kubeconfig)
    if not paths:
        return Config(DEFAULT_SERVER, token)
    found = _from_kubeconfig([(path, _read(path)) for path in paths])
    return Config(found.server, token or found.token, found.namespace)


def write_kubeconfig(path: Path, server: str, token: str = "") -> None:
    """Write a kubeconfig for that server, for ourselves and for kubectl: atomically, readable by its owner only.

    kubectl sends a token over https only.
    """
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "plum", "cluster": {"server": checked_server(server, "server")}}],
        "users": [{"name": "plum", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "plum", "context": {"cluster": "plum", "user": "plum", "namespace": "default"}}],
        "current-context": "plum",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp creates with mode 0600, so the token is never readable by others.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yaml.safe_dump(document, file, sort_keys=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _kubeconfig_paths(environ: Mapping[str, str], kubeconfig: str) -> list[Path]:
    if kubeconfig:
        return [Path(kubeconfig).expanduser()]
    if named := [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]:
        if existing := [path for path in named if path.exists()]:
            return existing
        raise ConfigError(f"KUBECONFIG names no file that exists: {', '.join(map(str, named))}")
    home = Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"
    return [home] if home.exists() else []


def _read(path: Path) -> dict[str, Any]:
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


Documents = Sequence[tuple[Path, dict[str, Any]]]


def _from_kubeconfig(documents: Documents) -> Config:
    current = next((str(name) for _, document in documents if (name := document.get("current-context"))), "")
    if not current:
        where = ", ".join(str(path) for path, _ in documents)
        raise ConfigError(f"kubeconfig {where}: current-context is not set; set it or give --server")
    path, context = _named(documents, "context", current)
    cluster_path, cluster = _named(documents, "cluster", _text(path, context, "cluster"))
    _refuse_unknown(cluster_path, "cluster", cluster, _CLUSTER_KEYS)
    server = checked_server(_text(cluster_path, cluster, "server"), f"kubeconfig {cluster_path}: cluster.server")
    token = _token(*_named(documents, "user", _text(path, context, "user"))) if context.get("user") else ""
    return Config(server, token, str(context.get("namespace") or "default"))


def _named(documents: Documents, what: str, name: str) -> tuple[Path, dict[str, Any]]:
    """The first cluster, user or context of that name, and the file it is in."""
    for path, document in documents:
        items = document.get(f"{what}s")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("name") == name:
                value = item.get(what) or {}
                if not isinstance(value, dict):
                    raise ConfigError(f"kubeconfig {path}: {what} {name!r} must be a mapping")
                return path, value
    where = ", ".join(str(path) for path, _ in documents)
    raise ConfigError(f"kubeconfig {where}: there is no {what} {name!r}")


def _text(path: Path, mapping: Mapping[str, Any], field: str) -> str:
    value = mapping.get(field)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"kubeconfig {path}: {field} is missing or not a string")
    return value


def _token(path: Path, user: Mapping[str, Any]) -> str:
    _refuse_unknown(path, "user", user, _USER_KEYS)
    if user.get("token"):
        return _text(path, user, "token")
    if not user.get("tokenFile"):
        return ""
    file = path.parent / _text(path, user, "tokenFile")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"kubeconfig {path}: tokenFile {file}: {error}") from None


def _refuse_unknown(path: Path, what: str, value: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(str(key) for key, setting in value.items() if key not in known and setting):
        raise ConfigError(
            f"kubeconfig {path}: {what}.{unknown[0]} is not supported; "
            f"understood are {', '.join(sorted(known - {'extensions'}))}, or give --server or PLUM_SERVER"
        )
