"""TLS on the server's port: certificates from files, which may be replaced while it runs.

Client certificates are optional and, where they are sent, must be of the given authority: others fail the handshake.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024


class TlsUnusable(Exception):
    """The files cannot be used; the message names flag and file."""


@dataclass(frozen=True)
class TlsFiles:
    """What the server is told: its certificate (with what leads to its authority) and key, and whose client
    certificates it takes."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.certificate, self.key, *([self.client_ca] if self.client_ca else []))


def tls_files(certificate: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    """The files that go together; None for a server without TLS. Raises TlsUnusable."""
    if certificate is not None and key is not None:
        return TlsFiles(certificate, key, client_ca)
    if certificate is not None or key is not None:
        given, missing = ("--tls-cert", "--tls-key") if key is None else ("--tls-key", "--tls-cert")
        raise TlsUnusable(f"{given} is given without {missing}: give both")
    if client_ca is not None:
        raise TlsUnusable("--client-ca is given without --tls-cert and --tls-key: client certificates need TLS")
    return None


def build_context(files: TlsFiles) -> ssl.SSLContext:
    """A context of what is in the files now. Raises TlsUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Resumed sessions would be of use to none of our clients, and would not ask the authority again.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    _load_own(context, files)
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        _load_authority(context, files.client_ca)
    return context


def _load_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    for flag, path in (("--tls-cert", files.certificate), ("--tls-key", files.key)):
        _read(flag, path)
    try:
        # The empty password keeps OpenSSL from asking for one on the terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
    except ssl.SSLError as error:
        problem = (
            "do not belong together"
            if "MISMATCH" in str(error)
            else "cannot be read: give PEM, the key without password"
        )
        raise TlsUnusable(f"--tls-cert {files.certificate}, --tls-key {files.key}: {problem}") from error
    except OSError as error:
        raise TlsUnusable(f"--tls-cert {files.certificate}, --tls-key {files.key}: {error.strerror}") from error


def _load_authority(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(cadata=_read("--client-ca", path).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise TlsUnusable(f"--client-ca {path}: holds no certificates in PEM form") from error


def _read(flag: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise TlsUnusable(f"{flag} {path}: {error.strerror}") from error


class NewestContext(ssl.SSLContext):
    """Stands for whichever context is the newest: each connection gets that one whole, and keeps it."""

    newest: ssl.SSLContext
    renew: Callable[[], None]

    @classmethod
    def of(cls, files: TlsFiles) -> "NewestContext":
        """A context of these files. ``renew`` reads them again; both raise TlsUnusable, and what was read before
        stays."""
        context = cls(ssl.PROTOCOL_TLS_SERVER)

        def renew() -> None:
            context.newest = build_context(files)

        context.renew = renew
        renew()
        return context

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """See ssl.SSLContext; asyncio calls this for each connection."""
        return self.newest.wrap_bio(incoming, outgoing, server_side, server_hostname, session)
