"""The annotation of client-side apply, and what server-side apply by the same tool makes of it.

``kubectl apply`` notes in it what it applied last, so that ``kubectl apply --server-side`` can follow without
conflicts, and the other way round.
"""

import orjson

from apiserver.api.errors import BadRequest
from apiserver.api.machinery.decode import MAX_ANNOTATIONS, prune
from apiserver.api.machinery.documents import read_json
from apiserver.api.machinery.fieldsets import ABSENT, FieldSet, Leaves, leaves
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
"""The manager for whom this is done, as in Kubernetes; another name opts out."""


def still_applied(kind: Kind, live: Body, had: Leaves) -> FieldSet:
    """What the last client-side apply set and nobody has changed since, by the annotation; ``had`` are the leaves
    of ``live``. Nothing where there is no annotation, or none that can be read."""
    text = _annotations(live).get(LAST_APPLIED)
    if not isinstance(text, str) or not text:
        return frozenset()
    try:
        applied, _ = prune(kind, read_json(text.encode()).body)
    except BadRequest:
        return frozenset()
    if applied.get("apiVersion") != kind.api_version or not isinstance(applied["metadata"], dict):
        return frozenset()
    kind.default(applied)
    return frozenset(path for path, value in leaves(kind.schema, applied).items() if had.get(path, ABSENT) == value)


def noted(body: Body, config: Body) -> Body:
    """``body`` with its annotation, if it has one, brought up to date; without it where it would be too large."""
    annotations = _annotations(body)
    if not annotations.get(LAST_APPLIED):
        return body
    kept = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    text = _text(config)
    size = sum(len(key.encode()) + len(str(value).encode()) for key, value in kept.items()) + len(LAST_APPLIED)
    if size + len(text.encode()) <= MAX_ANNOTATIONS:
        kept = dict(annotations, **{LAST_APPLIED: text})
    return dict(body, metadata=dict(body["metadata"], annotations=kept))


def _text(config: Body) -> str:
    metadata = dict(config["metadata"])
    metadata["annotations"] = {key: value for key, value in _annotations(config).items() if key != LAST_APPLIED}
    return orjson.dumps(dict(config, metadata=metadata), option=orjson.OPT_SORT_KEYS).decode() + "\n"


def _annotations(body: Body) -> Body:
    return body["metadata"].get("annotations") or {}
