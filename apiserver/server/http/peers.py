"""Who a client's certificate says it is: the common name is the user, the organizations are the groups.

The certificate has been verified; its names are still somebody's words, which end up in logs and objects.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_NAME, MAX_GROUPS = 256, 1024


@dataclass(frozen=True)
class Peer:
    """The other end of a connection."""

    name: str
    groups: tuple[str, ...]
    until: float
    """When the certificate expires, in seconds since 1970."""
    problem: str = ""
    """Why it names no user; empty when it does."""


def peer_of(certificate: Mapping[str, Any] | None) -> Peer | None:
    """The peer with a verified certificate as ``ssl`` decodes it; None without one."""
    if not certificate:
        return None
    # As in Kubernetes: of several common names the last counts.
    names = [*_values(certificate, "commonName")]
    groups = [group for group in _values(certificate, "organizationName") if group]
    try:
        until = float(ssl.cert_time_to_seconds(str(certificate.get("notAfter", ""))))
    except (ValueError, OverflowError):
        return Peer("", (), 0.0, "the client certificate has no end that can be read")
    name = names[-1] if names else ""
    problem = _problem(name, groups)
    return Peer("", (), until, f"the client certificate {problem}") if problem else Peer(name, tuple(groups), until)


def _values(certificate: Mapping[str, Any], attribute: str) -> Iterator[str]:
    for relative in certificate.get("subject", ()):
        for key, value in relative:
            if key == attribute:
                yield str(value)


def _problem(name: str, groups: list[str]) -> str:
    if not name.strip():
        return "names no user: its subject needs a common name (CN)"
    if len(groups) > MAX_GROUPS:
        return f"names more than {MAX_GROUPS} groups (O)"
    if any(len(one) > MAX_NAME for one in (name, *groups)):
        return f"has a name in its subject (CN or O) of more than {MAX_NAME} characters"
    if not all(one.isprintable() for one in (name, *groups)):
        return "has a name in its subject (CN or O) with characters that cannot be printed"
    return ""
