"""Stored objects as the client is to see them: as themselves, or as a view of them."""

import orjson

from apiserver.api.meta import Body
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot


def shown(target: Target, raw: bytes) -> bytes:
    """An object's bytes as those of what the request is about."""
    return raw if target.view is None else orjson.dumps(shown_body(target, orjson.loads(raw)))


def shown_body(target: Target, body: Body) -> Body:
    """The same, decoded."""
    return body if target.view is None else target.view.project(body)


def shown_slot(registry: Registry, target: Target, slot: Slot) -> bytes:
    """A slot's bytes as those of what the request is about."""
    return shown(target, registry.raw(slot))
