"""One group's document."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from apiserver.api.openapi import own
from apiserver.api.openapi.below import Below
from apiserver.api.openapi.components import Components
from apiserver.api.openapi.operations import Operations
from apiserver.api.scheme import Served

Subresources = Callable[[Served], Iterable[Below]]


def document(
    group: str, version: str, kinds: Sequence[Served], subresources: Subresources, *, release: str
) -> dict[str, Any]:
    """The OpenAPI 3.0 document of a group and version; ``release`` is the server's own version."""
    components = Components(group, version)
    operations = Operations(components)
    paths: dict[str, Any] = {}
    for kind in kinds:
        components.kind(kind)
        paths |= operations.paths(kind, subresources(kind))
    if (group, version) == ("plum.dev", "v1"):
        paths |= own.paths(components)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Plum", "version": release, "description": f"The API {name(group, version)}."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }


def name(group: str, version: str) -> str:
    """``plum.dev/v1``, or ``v1`` for the core group."""
    return f"{group}/{version}" if group else version
