"""Where the API server is, who asks, and whom the connection trusts."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_SERVER = "http://127.0.0.1:8080"

Pem = Path | bytes
"""Certificates or a key: a file, which is read again when it changes, or the text itself."""


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the field and the remedy."""


@dataclass(frozen=True)
class Tls:
    """What https needs beyond the address. Nothing of it is shown: a key has no business in logs."""

    ca: Pem | None = field(default=None, repr=False)
    """Whose certificates are believed; None: those of the public authorities."""
    certificate: Pem | None = field(default=None, repr=False)
    key: Pem | None = field(default=None, repr=False)
    insecure: bool = False
    """Believe any certificate."""
    server_name: str = ""
    """The name that the server's certificate must have, if it is not the one in the address."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What is on disk and may be replaced there."""
        return tuple(one for one in (self.ca, self.certificate, self.key) if isinstance(one, Path))


@dataclass(frozen=True)
class Config:
    """Everything needed to talk to a server. An empty ``token`` sends none; ``namespace`` is the default."""

    server: str
    token: str = ""
    namespace: str = "default"
    tls: Tls = Tls()
    token_file: Path | None = None
    """Where ``token`` is from, if it is read again when the file changes."""

    @property
    def is_https(self) -> bool:
        """Whether the connection is encrypted; schemes may be written in either case."""
        return self.server.lower().startswith("https:")

    def __repr__(self) -> str:
        """Without the token, which has no business in logs."""
        return f"Config(server={self.server!r}, namespace={self.namespace!r})"


def checked_server(text: str, where: str) -> str:
    """An address without a scheme means http. Raises ConfigError."""
    address = text.strip()
    if "://" not in address:
        address = f"http://{address}"
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    else:
        valid = valid and not (parts.query or parts.fragment or parts.username)
    if not valid:
        raise ConfigError(f"{where}: {text!r} is not an address of the form http://HOST:PORT")
    return address.rstrip("/")
