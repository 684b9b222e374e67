"""What the query of a list or a watch may say together, and how a watch begins. Refusals are in Kubernetes' words.

- list   ``resourceVersionMatch`` needs a ``resourceVersion``, and none of it goes with ``continue``
- watch  ``sendInitialEvents`` and ``resourceVersionMatch=NotOlderThan`` go together (WatchList): what there is comes
  first, then a bookmark that says so, then the changes
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apiserver.api.errors import BadRequest, Cause, Details, Invalid

EXACT, NOT_OLDER = "Exact", "NotOlderThan"
_INITIAL, _MATCH = "sendInitialEvents", "resourceVersionMatch"
_NO_CONTINUE = "resourceVersionMatch is forbidden when continue is provided"
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a watch begins."""

    since: int | None
    """Changes after this version; None: what there is comes first."""
    at_least: int = 0
    """The version that what there is must have reached."""
    is_list: bool = False
    """Whether a bookmark says when all there is has been told."""


def check_list(query: Query) -> None:
    """Raise Invalid for what does not go together in a list."""
    causes = []
    match = query.get(_MATCH, "")
    if match:
        if not query.get("resourceVersion"):
            causes.append(_forbidden(_MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if query.get("continue"):
            causes.append(_forbidden(_MATCH, _NO_CONTINUE))
        if match not in (EXACT, NOT_OLDER):
            causes.append(_unsupported(match, EXACT, NOT_OLDER))
        if match == EXACT and query.get("resourceVersion") == "0":
            why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            causes.append(_forbidden(_MATCH, why))
    if query.get(_INITIAL):
        causes.append(_forbidden(_INITIAL, "sendInitialEvents is forbidden for list"))
    _refuse(causes)


def check_watch(query: Query) -> None:
    """Raise Invalid for what does not go together in a watch."""
    causes = []
    match, asked = query.get(_MATCH, ""), bool(query.get(_INITIAL))
    if asked and match != NOT_OLDER:
        causes.append(_forbidden(_MATCH, f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER}"))
    if match:
        if not asked:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            causes.append(_forbidden(_MATCH, why))
        if match != NOT_OLDER:
            causes.append(_unsupported(match, NOT_OLDER))
        if query.get("continue"):
            causes.append(_forbidden(_MATCH, _NO_CONTINUE))
    _refuse(causes)


def start(query: Query, version: int, current: int) -> Start:
    """Where a watch begins that asks for ``version`` (0: none) while the store is at ``current``. Raises BadRequest."""
    asked = query.get(_INITIAL, "")
    if asked not in ("", "true", "1", "false", "0"):
        raise BadRequest(f'sendInitialEvents: Invalid value: "{asked[:40]}": must be true or false')
    if not asked:
        return Start(version or None)
    if asked in ("true", "1"):
        return Start(None, at_least=version, is_list=True)
    return Start(version or current)


def _forbidden(field: str, why: str) -> Cause:
    return Cause(field, f"Forbidden: {why}", "FieldValueForbidden")


def _unsupported(value: str, *supported: str) -> Cause:
    listed = ", ".join(f'"{one}"' for one in supported)
    text = f'Unsupported value: "{value[:40]}": supported values: {listed}'
    return Cause(_MATCH, text, "FieldValueNotSupported")


def _refuse(causes: list[Cause]) -> None:
    if not causes:
        return
    text = ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
    raise Invalid(
        f'ListOptions.meta.k8s.io "" is invalid: {text if len(causes) == 1 else f"[{text}]"}',
        details=Details(group="meta.k8s.io", kind="ListOptions", causes=causes),
    )
