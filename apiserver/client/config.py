"""Where the API server is and who asks."""

from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_SERVER = "http://127.0.0.1:8080"


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the field and the remedy."""


@dataclass(frozen=True)
class Config:
    """Everything needed to talk to a server. An empty ``token`` sends none; ``namespace`` is the default."""

    server: str
    token: str = ""
    namespace: str = "default"

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
