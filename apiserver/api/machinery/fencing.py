"""Fencing: a write may say by which leadership it is made, and counts only while that lasts.

A leader that was paused, or whose request was long on its way, believes for a moment longer than it should
that it leads. Its own clock cannot help it then. The header ``Plum-Fence: <namespace>/<lease>/<token>`` can:
the token is the lease's ``spec.leaseTransitions``, which grows at every change of holder, and whoever stores
the write compares the two in the same step.
"""

import re
from dataclasses import dataclass
from typing import Self

from apiserver.api.errors import BadRequest, Conflict, Details
from apiserver.api.kinds.lease import LEASES
from apiserver.api.meta import Body
from apiserver.api.scheme import dig

HEADER = "plum-fence"
_FORM = re.compile(r"([^/]+)/([^/]+)/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Fence:
    """The leadership in whose name a write is made."""

    namespace: str
    name: str
    token: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a header's value. Raises BadRequest."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise BadRequest(f"Plum-Fence: {text[:80]!r} is not of the form <namespace>/<lease>/<token>")
        return cls(found[1], found[2], int(found[3]))

    def __str__(self) -> str:
        """The header's value."""
        return f"{self.namespace}/{self.name}/{self.token}"

    def check(self, lease: Body | None) -> None:
        """Let the write pass if the lease, as it is at the write's turn, is held under this token. Raises Conflict."""
        present = dig(lease or {}, "spec.leaseTransitions") or 0
        if lease is None:
            why = "does not exist"
        elif not dig(lease, "spec.holderIdentity"):
            why = f"has no holder (its token is {present})"
        elif present != self.token:
            why = f"is held under token {present}"
        else:
            return
        raise Conflict(
            f"superseded: the write carries token {self.token} of the lease {self.namespace}/{self.name}, which {why}; "
            "stop acting and contend again",
            details=Details(name=self.name, group=LEASES.group, kind=LEASES.plural),
        )
