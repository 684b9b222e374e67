"""What is watched: queries, and what they mean in Python, written down apart from the server's own selectors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal
from urllib.parse import urlencode

from tests.soak.ledger import Logged, Place, Told

Means = Callable[[Mapping[str, str]], bool]
"""Of an object's labels, and what it has as node, task and name."""

GROUP = "/apis/plum.dev/v1"
NAMESPACES = ("default", "soak")
KINDS = {"assignments": "Assignment", "events": "Event"}


@dataclass(frozen=True)
class Selection:
    """One query and its meaning."""

    labels: str = ""
    fields: str = ""
    means: Means = lambda it: True
    namespace: str = ""
    kinds: tuple[str, ...] = ("Assignment",)
    form: Literal["stream", "poll"] = "stream"

    def path(self, **query: str) -> str:
        """Where to ask."""
        base = f"{GROUP}/namespaces/{self.namespace}" if self.namespace else GROUP
        if len(self.kinds) > 1:
            base, query = f"{base}/watch", query | {"resources": ",".join(KINDS)}
        else:
            base += "/assignments"
        query["watch"] = "poll" if self.form == "poll" else "true"
        found = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return f"{base}?{urlencode(query | {key: value for key, value in found.items() if value})}"

    def is_meant(self, logged: Logged) -> bool:
        """Whether the object is selected as it is after the change."""
        place = logged.told.place
        if place.kind not in self.kinds or self.namespace not in ("", place.namespace):
            return False
        return self.means(logged.seen)

    def expected(self, log: Iterable[Logged]) -> Sequence[Told]:
        """What a watch of it is told, by the log of all changes: entering it is ADDED, leaving it DELETED."""
        inside: set[Place] = set()
        told: list[Told] = []
        for logged in log:
            kind, place, version = logged.told
            before = place in inside
            after = kind != "DELETED" and self.is_meant(logged)
            if after:
                inside.add(place)
                told.append(Told("MODIFIED" if before else "ADDED", place, version))
            elif before:
                inside.discard(place)
                told.append(Told("DELETED", place, version))
        return told


ALL_KINDS = tuple(KINDS.values())
EVERYTHING = Selection(kinds=ALL_KINDS)
"""The log of all changes is what a watch of this is told."""

_SPECIAL = (
    Selection("app=a", form="poll", means=lambda it: it.get("app") == "a"),
    Selection(fields="spec.nodeName=n1", form="poll", means=lambda it: it["node"] == "n1"),
    Selection("app=a", kinds=ALL_KINDS, means=lambda it: it.get("app") == "a"),
    Selection("app!=b,tier", kinds=ALL_KINDS, means=lambda it: it.get("app") != "b" and "tier" in it),
)
_PLAIN = (
    Selection(),
    Selection(namespace="soak"),
    Selection("app=a", means=lambda it: it.get("app") == "a"),
    Selection("app!=a", means=lambda it: it.get("app") != "a"),
    Selection("app in (a,b)", means=lambda it: it.get("app") in ("a", "b")),
    Selection("app notin (a,b)", means=lambda it: it.get("app") not in ("a", "b")),
    Selection("tier", means=lambda it: "tier" in it),
    Selection("!tier", means=lambda it: "tier" not in it),
    Selection("app=b,tier!=back", means=lambda it: it.get("app") == "b" and it.get("tier") != "back"),
    Selection(fields="spec.nodeName=n1", means=lambda it: it["node"] == "n1"),
    Selection(fields="spec.nodeName!=n1", means=lambda it: it["node"] != "n1"),
    Selection(fields="spec.nodeName=", means=lambda it: not it["node"]),
    Selection(fields="metadata.name=w0-0", means=lambda it: it["name"] == "w0-0"),
    Selection(fields="metadata.name=w1-2", namespace="soak", means=lambda it: it["name"] == "w1-2"),
    Selection(fields="metadata.name!=w0-0", means=lambda it: it["name"] != "w0-0"),
    Selection(fields="spec.taskName=t1", means=lambda it: it["task"] == "t1"),
    Selection("app=c", "spec.nodeName!=n2", means=lambda it: it.get("app") == "c" and it["node"] != "n2"),
    Selection("tier=back", "spec.nodeName=n3", means=lambda it: it.get("tier") == "back" and it["node"] == "n3"),
)


def selections(count: int) -> Sequence[Selection]:
    """So many to watch, the special forms first."""
    return [*_SPECIAL, *islice(cycle(_PLAIN), count - len(_SPECIAL))]
