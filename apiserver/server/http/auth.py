"""Who is asking: static bearer tokens, in the format of Kubernetes' token file (``token,user[,…]``)."""

import hashlib
from pathlib import Path

from apiserver.api.errors import Unauthorized

ANONYMOUS = "system:anonymous"
OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})
"""What can be read without a token, as in Kubernetes."""

DOCUMENTATION = "/swagger"
"""The page says how to ask, and has a field for the token to ask with."""


class Tokens:
    """The users by token. Only hashes are kept, so that a lookup takes no time that tells anything."""

    def __init__(self, users: dict[str, str]) -> None:
        self._users = {_hash(token): user for token, user in users.items()}

    def user(self, path: str, authorization: str) -> str:
        """Who sends this header. Raises Unauthorized."""
        scheme, _, token = authorization.partition(" ")
        user = self._users.get(_hash(token.strip())) if scheme.lower() == "bearer" else None
        is_open = path in OPEN_PATHS or path == DOCUMENTATION or path.startswith(f"{DOCUMENTATION}/")
        if user is None and not is_open:
            raise Unauthorized("Unauthorized: send a valid bearer token (Authorization: Bearer …)")
        return user or ANONYMOUS


def read_token_file(path: Path) -> Tokens:
    """Read a token file. Raises ValueError that names the line; messages never show a token."""
    users: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        token, _, rest = line.partition(",")
        user = rest.partition(",")[0].strip()
        if len(token.strip()) < 16 or not user:
            raise ValueError(f"{path}, line {number}: write token,user with a token of at least 16 characters")
        users[token.strip()] = user
    if not users:
        raise ValueError(f"{path}: has no tokens; write one token,user per line")
    return Tokens(users)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
