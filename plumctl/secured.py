"""Who is who in an ``up`` with TLS: the certificates of its server, of its programs, and of the one who uses it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from apiserver.client.config import Tls
from plumctl.authority import Certificates, PairFiles, server_names
from plumctl.certificates import Wanted

FOLDER = "tls"
SERVER, ADMIN, CONTROLLERS = "server", "admin", "controllers"
MASTERS, NODES = "system:masters", "system:nodes"


class Secured:
    """The certificates of one ``up``."""

    def __init__(
        self,
        directory: Path,
        host: str,
        nodes: Sequence[str],
        names: tuple[str, ...],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """``host`` is where the server listens, ``names`` are further ones under which it is asked for. Raises OSError,
        and ValueError for names that no certificate can have."""
        self._certificates = Certificates(directory / FOLDER, clock=clock)
        self._wanted = {
            SERVER: Wanted("plum-apiserver", names=server_names(host, names)),
            ADMIN: Wanted("admin", (MASTERS,)),
            CONTROLLERS: Wanted("system:plum-controllers"),
        }
        self._wanted |= {f"node-{name}": Wanted(f"system:node:{name}", (NODES,)) for name in nodes}
        self._files: dict[str, PairFiles] = {}
        self.renew()

    def renew(self) -> None:
        """Make what is missing, or will not last; the programs read their files again. Raises OSError, ValueError."""
        self._files = {name: self._certificates.pair(name, wanted) for name, wanted in self._wanted.items()}

    @property
    def server_flags(self) -> list[str]:
        """What the server is told."""
        files = self._files[SERVER]
        flags = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
        return [*flags, "--client-ca", str(self._certificates.authority)]

    def flags(self, name: str) -> list[str]:
        """What one of the programs that talk to the server is told."""
        files = self._files[name]
        flags = ["--client-cert", str(files.certificate), "--client-key", str(files.key)]
        return [*flags, "--ca-file", str(self._certificates.authority)]

    @property
    def admin(self) -> Tls:
        """What the user of all this trusts and shows."""
        files = self._files[ADMIN]
        return Tls(self._certificates.authority, files.certificate, files.key)
