"""Objects without all but their metadata: what garbage collectors and caches of metadata read."""

from typing import Any

import orjson

from apiserver.api.meta import Body

META = "meta.k8s.io/v1"


def partial(body: Body) -> Body:
    """The object as PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": body["metadata"]}


def partial_raw(raw: bytes) -> bytes:
    """The same of an object as served."""
    return orjson.dumps(partial(orjson.loads(raw)))


def partial_list(metadata: dict[str, Any]) -> Body:
    """The head of a list of them."""
    return {"kind": "PartialObjectMetadataList", "apiVersion": META, "metadata": metadata}
