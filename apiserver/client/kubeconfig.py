"""Finding the API server: an address, or a kubeconfig file as kubectl reads it.

The whole kubeconfig format is large; what is not understood (passwords, exec plugins, …) is refused by name rather
than ignored, since ignoring it would talk to a server in another way than its owner meant.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from apiserver.client import kubeconfig_files as files
from apiserver.client.config import DEFAULT_SERVER, Config, ConfigError, Pem, Tls, checked_server
from apiserver.client.credentials import checked, read_token
from apiserver.client.kubeconfig_files import Documents

_CLUSTER_KEYS = frozenset(
    {
        "server",
        "certificate-authority",
        "certificate-authority-data",
        "insecure-skip-tls-verify",
        "tls-server-name",
        "extensions",
    }
)
_USER_KEYS = frozenset(
    {
        "token",
        "tokenFile",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "extensions",
    }
)


def load(environ: Mapping[str, str], *, server: str = "", kubeconfig: str = "") -> Config:
    """The first of: ``server`` or PLUM_SERVER; the current context of ``kubeconfig`` or KUBECONFIG (several
    files joined by ``:``, the first to name something wins); that of ``~/.kube/config`` if it exists; port
    8080 of this machine. PLUM_TOKEN overrides the token of any, PLUM_CA_FILE whom it trusts, PLUM_CLIENT_CERT with
    PLUM_CLIENT_KEY the client certificate. Raises ConfigError."""
    if address := server or environ.get("PLUM_SERVER", ""):
        found = Config(checked_server(address, "--server or PLUM_SERVER"))
    elif paths := files.existing(environ, kubeconfig):
        found = from_documents([(path, files.read(path)) for path in paths])
    else:
        found = Config(DEFAULT_SERVER)
    if token := environ.get("PLUM_TOKEN", "").strip():
        found = replace(found, token=_sendable(token, "PLUM_TOKEN"), token_file=None)
    return checked(replace(found, tls=_overridden(found.tls, environ)))


def from_documents(documents: Documents, context: str = "") -> Config:
    """What a context says, by default the current one. Raises ConfigError."""
    current = context or files.current_context(documents)
    if not current:
        where = ", ".join(str(path) for path, _ in documents)
        raise ConfigError(f"kubeconfig {where}: current-context is not set; set it or give --server")
    path, found = files.named(documents, "context", current)
    cluster_path, cluster = files.named(documents, "cluster", _text(path, found, "cluster"))
    _refuse_unknown(cluster_path, "cluster", cluster, _CLUSTER_KEYS)
    server = checked_server(_text(cluster_path, cluster, "server"), f"kubeconfig {cluster_path}: cluster.server")
    tls = _trusted(cluster_path, cluster)
    config = Config(server, namespace=str(found.get("namespace") or "default"), tls=tls)
    if not found.get("user"):
        return config
    user_path, user = files.named(documents, "user", _text(path, found, "user"))
    _refuse_unknown(user_path, "user", user, _USER_KEYS)
    return _as_user(config, user_path, user)


def write_kubeconfig(path: Path, server: str, token: str = "", *, user: str = "plum", tls: Tls | None = None) -> None:
    """Write a kubeconfig for that server, for ourselves and for kubectl: atomically, readable by its owner only.

    ``tls`` goes in as data, so that the file alone is enough, wherever it is taken. kubectl sends a token over https
    only. Raises OSError.
    """
    tls = tls or Tls()
    cluster = {"server": checked_server(server, "server"), "certificate-authority-data": _data(tls.ca)}
    credentials = {
        "token": token or None,
        "client-certificate-data": _data(tls.certificate),
        "client-key-data": _data(tls.key),
    }
    document = files.empty()
    files.put(document, "cluster", "plum", cluster)
    files.put(document, "user", user, credentials)
    files.put(document, "context", "plum", {"cluster": "plum", "user": user, "namespace": "default"})
    document["current-context"] = "plum"
    files.write(path, document)


def _overridden(tls: Tls, environ: Mapping[str, str]) -> Tls:
    if authority := environ.get("PLUM_CA_FILE", ""):
        tls = replace(tls, ca=Path(authority), insecure=False)
    certificate, key = environ.get("PLUM_CLIENT_CERT", ""), environ.get("PLUM_CLIENT_KEY", "")
    if bool(certificate) != bool(key):
        raise ConfigError("PLUM_CLIENT_CERT and PLUM_CLIENT_KEY: one is set without the other; set both")
    return replace(tls, certificate=Path(certificate), key=Path(key)) if certificate else tls


def _trusted(path: Path, cluster: Mapping[str, Any]) -> Tls:
    authority = _pem(path, cluster, "certificate-authority")
    insecure = cluster.get("insecure-skip-tls-verify") or False
    if not isinstance(insecure, bool):
        raise ConfigError(f"kubeconfig {path}: cluster.insecure-skip-tls-verify must be true or false")
    if insecure and authority is not None:
        raise ConfigError(
            f"kubeconfig {path}: cluster.insecure-skip-tls-verify and certificate-authority exclude each other; "
            "take one out"
        )
    name = _text(path, cluster, "tls-server-name") if cluster.get("tls-server-name") else ""
    return Tls(authority, insecure=insecure, server_name=name)


def _as_user(config: Config, path: Path, user: Mapping[str, Any]) -> Config:
    certificate, key = _pem(path, user, "client-certificate"), _pem(path, user, "client-key")
    if (certificate is None) != (key is None):
        raise ConfigError(f"kubeconfig {path}: client-certificate and client-key: one is there without the other")
    config = replace(config, tls=replace(config.tls, certificate=certificate, key=key))
    if user.get("token"):
        return replace(config, token=_sendable(_text(path, user, "token"), f"kubeconfig {path}: user.token"))
    if not user.get("tokenFile"):
        return config
    file = _beside(path, user, "tokenFile")
    return replace(config, token=read_token(file, f"kubeconfig {path}: tokenFile "), token_file=file)


def _pem(path: Path, mapping: Mapping[str, Any], field: str) -> Pem | None:
    """What a field names or its ``-data`` twin holds, which wins. Raises ConfigError."""
    if mapping.get(f"{field}-data"):
        text = _text(path, mapping, f"{field}-data")
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(f"kubeconfig {path}: {field}-data is not base64") from None
    return _beside(path, mapping, field) if mapping.get(field) else None


def _beside(path: Path, mapping: Mapping[str, Any], field: str) -> Path:
    """The file that a field names, seen from the kubeconfig. Raises ConfigError."""
    name = _text(path, mapping, field)
    try:
        if name.isprintable():
            return path.parent / Path(name).expanduser()
    except RuntimeError:  # the home of nobody
        pass
    raise ConfigError(f"kubeconfig {path}: {field} {name!r} is no path")


def _sendable(token: str, where: str) -> str:
    if not (token.isascii() and token.isprintable()):
        raise ConfigError(f"{where}: is no token: it may hold printable ASCII characters only")
    return token


def _data(pem: Pem | None) -> str | None:
    if pem is None:
        return None
    return base64.b64encode(pem if isinstance(pem, bytes) else pem.read_bytes()).decode()


def _text(path: Path, mapping: Mapping[str, Any], field: str) -> str:
    value = mapping.get(field)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"kubeconfig {path}: {field} is missing or not a string")
    return value


def _refuse_unknown(path: Path, what: str, value: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(str(key) for key, setting in value.items() if key not in known and setting):
        raise ConfigError(
            f"kubeconfig {path}: {what}.{unknown[0]} is not supported; "
            f"understood are {', '.join(sorted(known - {'extensions'}))}, or give --server or PLUM_SERVER"
        )
