"""Whom a connection trusts to be the host it asked for, and how it shows who it is.

The certificates of the public authorities are 2 MB once they are read, and reading them takes some 20 ms. So
they are read once a process, and not at all where no connection needs them: one authority of a cluster's own is
a few kilobytes.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx

from apiserver.client.config import ConfigError, Pem, Tls

MAX_BYTES = 1024 * 1024
_PUBLIC = Tls()


def trust(url: str, tls: Tls = _PUBLIC) -> ssl.SSLContext:
    """For requests to the scheme of that URL: for http nobody, for https whom ``tls`` names, by default the public
    authorities. One context for all that ask for the same. Raises ConfigError."""
    if not url.lower().startswith("https:"):
        return _nobody()
    return _authorities() if tls in (_PUBLIC, Tls(server_name=tls.server_name)) else _own(tls)


def read_again(tls: Tls) -> None:
    """The files of ``tls`` have changed: new connections use what is there now, and go on believing the authorities
    they believed before. Raises ConfigError; then all stays as it was."""
    if tls.certificate is not None:
        # What does not fit together would leave a context without any.
        _show(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls)
    _fill(_own(tls), tls)


@cache
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@cache
def _nobody() -> ssl.SSLContext:
    """Verifies like any other and has no authority to believe: a connection that it is asked about fails."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _own(tls: Tls) -> ssl.SSLContext:
    if tls.ca is None and not tls.insecure:
        context = httpx.create_ssl_context(trust_env=False)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # As in Kubernetes: whatever is named is believed, and need not be the root of all.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _fill(context, tls)
    return context


def _fill(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.ca is not None:
        try:
            context.load_verify_locations(cadata=_text(tls.ca))
        except ssl.SSLError as error:
            raise ConfigError(f"{_name(tls.ca, 'certificate authority')}: no certificates in PEM form") from error
    _show(context, tls)


def _show(context: ssl.SSLContext, tls: Tls) -> None:
    """Use the client's certificate. Raises ConfigError."""
    if (tls.certificate is None) != (tls.key is None):
        missing, given = ("key", "certificate") if tls.key is None else ("certificate", "key")
        raise ConfigError(f"a client {given} is given without its {missing}: give both")
    if tls.certificate is None or tls.key is None:
        return
    names = f"{_name(tls.certificate, 'client certificate')}, {_name(tls.key, 'client key')}"
    with _as_file(tls.certificate) as certificate, _as_file(tls.key) as key:
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            problem = (
                "do not belong together" if "MISMATCH" in str(error) else "cannot be read as PEM without a password"
            )
            raise ConfigError(f"{names}: certificate and key {problem}") from error
        except OSError as error:
            raise ConfigError(f"{names}: {error.strerror}") from error


def _name(pem: Pem, what: str) -> str:
    return f"{what} {pem}" if isinstance(pem, Path) else f"{what} of the kubeconfig"


def _text(pem: Pem) -> str:
    try:
        raw = pem if isinstance(pem, bytes) else _read(pem)
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise ConfigError(f"{_name(pem, 'certificate authority')}: no certificates in PEM form") from None
    except OSError as error:
        raise ConfigError(f"{_name(pem, 'certificate authority')}: {error.strerror}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES)


@contextmanager
def _as_file(pem: Pem) -> Iterator[str]:
    """A path at which it can be read; text is kept off the disks where the system has files in memory."""
    if isinstance(pem, Path):
        yield str(pem)
    elif hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("pem"), "wb") as file:
            file.write(pem)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as named:
            named.write(pem)
            named.flush()
            yield named.name
