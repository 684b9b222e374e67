"""How much is gone through: a core in ``make test``, everything with ``PLUM_SOAK_KUBECTL`` set."""

import os

from apiserver.api.scheme import SCHEME
from tests.kubectl.transports import Transport

FULL = bool(os.environ.get("PLUM_SOAK_KUBECTL"))
KINDS = [kind.plural for kind in SCHEME if FULL or kind.plural in ("tasks", "namespaces")]
"""One that kubectl knows only by its documents, and one that it knows by itself; or all."""

TRANSPORTS: tuple[Transport, ...] = ("http", "tls") if FULL else ("http",)
