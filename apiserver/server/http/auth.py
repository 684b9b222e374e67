"""Who is asking: client certificates, and static bearer tokens in the format of Kubernetes' token file
(``token,user[,uid[,"group1,group2"]]``)."""

import csv
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apiserver.api.errors import Unauthorized
from apiserver.server.http.peers import Peer

ANONYMOUS = "system:anonymous"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})
"""What can be read without a token, as in Kubernetes."""

DOCUMENTATION = "/swagger"
"""The page says how to ask, and has a field for the token to ask with."""

MIN_TOKEN = 16


@dataclass(frozen=True)
class User:
    """Who asks, as far as that is known."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""


NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))


class Expired(Unauthorized):
    """The connection's certificate has come to its end: it takes a new connection to show a new one."""


def known(name: str, groups: Iterable[str], uid: str = "") -> User:
    """Somebody who has shown who they are."""
    return User(name, tuple(dict.fromkeys((*groups, AUTHENTICATED))), uid)


class Tokens:
    """The users by token. Only hashes are kept, so that a lookup takes no time that tells anything."""

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = {_hash(token): user for token, user in users.items()}

    def user(self, authorization: str) -> User | None:
        """Who sends this header; None for a token that is nobody's."""
        scheme, _, token = authorization.partition(" ")
        return self._users.get(_hash(token.strip())) if scheme.lower() == "bearer" else None


class Authenticator:
    """Decides who asks. ``tokens`` may be replaced at any time."""

    def __init__(self, tokens: Tokens | None, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells seconds since 1970."""
        self.tokens, self._clock = tokens, clock

    def user(self, path: str, authorization: str, peer: Peer | None) -> User:
        """Who sends this header over a connection with this certificate, which counts first, as in Kubernetes.
        Raises Unauthorized."""
        is_expired = peer is not None and self._clock() > peer.until
        if peer is not None and not peer.problem and not is_expired:
            return known(peer.name, peer.groups)
        if authorization and self.tokens is not None and (user := self.tokens.user(authorization)):
            return user
        if path in OPEN_PATHS or path == DOCUMENTATION or path.startswith(f"{DOCUMENTATION}/"):
            return NOBODY
        if peer is not None and peer.problem:
            raise Unauthorized(f"Unauthorized: {peer.problem}")
        if is_expired:
            raise Expired("Unauthorized: the client certificate has expired; connect with a new one")
        raise Unauthorized("Unauthorized: send a valid bearer token (Authorization: Bearer …) or a client certificate")


def read_token_file(path: Path) -> Tokens:
    """Read a token file. Raises OSError, and ValueError that names the line; messages never show a token."""
    users: dict[str, User] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        token, user = _parse(line, f"{path}, line {number}")
        users[token] = user
    if not users:
        raise ValueError(f"{path}: has no tokens; write one token,user per line")
    return Tokens(users)


def _parse(line: str, where: str) -> tuple[str, User]:
    try:
        (fields,) = csv.reader([line], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        raise ValueError(f'{where}: write token,user,uid,"group1,group2" with groups in quotes') from None
    token, name, uid, groups = (field.strip() for field in (*fields, "", "", "")[:4])
    if len(token) < MIN_TOKEN or not name:
        raise ValueError(f"{where}: write token,user with a token of at least {MIN_TOKEN} characters")
    if not (name + uid + groups).isprintable():
        raise ValueError(f"{where}: user, uid and groups may hold printable characters only")
    return token, known(name, (group for one in groups.split(",") if (group := one.strip())), uid)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
