"""Whom a connection trusts to be the host it asked for.

The certificates of the public authorities are 2 MB once they are read, and reading them takes some 20 ms. So
they are read once a process, and not at all where no connection needs them.
"""

import ssl
from functools import cache

import httpx


def trust(url: str) -> ssl.SSLContext:
    """For requests to the scheme of that URL: the public authorities for https, nobody for http."""
    return _authorities() if url.lower().startswith("https:") else _nobody()


@cache
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@cache
def _nobody() -> ssl.SSLContext:
    """Verifies like any other and has no authority to believe: a connection that it is asked about fails."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
