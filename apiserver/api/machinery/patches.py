"""RFC 7386 merge patch and RFC 6902 JSON patch. Neither touches its target, nor the patch."""

from typing import Any

import jsonpatch
import jsonpointer
import orjson

from apiserver.api.errors import ApiError, BadRequest, Cause, Details, Invalid
from apiserver.api.machinery.documents import MAX_BYTES, check_value
from apiserver.api.meta import Body

MAX_OPERATIONS = 10_000
"""Operations of one JSON patch."""

MAX_COPIED_BYTES = MAX_BYTES
"""What the ``copy`` operations of one JSON patch may add to an object; each may double it."""

_NEEDS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
_FAULTS = (
    jsonpatch.JsonPatchException,
    jsonpointer.JsonPointerException,
    # What the library lets out for operations on values of unexpected types.
    TypeError,
    AttributeError,
    LookupError,
    ValueError,
    RecursionError,
)


def merge_patch(target: Body, patch: Any) -> Body:
    """RFC 7386. Raises BadRequest when the patch is no object."""
    if not isinstance(patch, dict):
        raise BadRequest("a merge patch must be a JSON object")
    return _merged(target, patch)


def _merged(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merged(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def json_patch(target: Body, patch: Any) -> Body:
    """RFC 6902. Raises BadRequest when the patch cannot be read, Invalid when it cannot be applied, a failed
    ``test`` included: clients use that as their optimistic lock."""
    _check(patch)
    # The library changes documents in place; a round trip is the cheapest whole copy.
    result: Any = orjson.loads(orjson.dumps(target))
    copied = 0
    for index, operation in enumerate(patch):
        try:
            if operation["op"] == "copy":
                copied += len(orjson.dumps(jsonpointer.resolve_pointer(result, operation["from"])))
                if copied > MAX_COPIED_BYTES:
                    raise _cannot(index, operation, f"copies add more than {MAX_COPIED_BYTES} bytes")
            result = jsonpatch.JsonPatch([operation]).apply(result, in_place=True)
        except _FAULTS as error:
            raise _cannot(index, operation, _reason(operation, error)) from None
    _check_result(result)
    return result  # type: ignore[no-any-return]  # checked to be an object


def _check(patch: Any) -> None:
    """Raise BadRequest unless these are operations. Whether they fit the object is another question."""
    if not isinstance(patch, list):
        raise BadRequest("a JSON patch must be a list of operations")
    if len(patch) > MAX_OPERATIONS:
        raise BadRequest(f"a JSON patch may have at most {MAX_OPERATIONS} operations, not {len(patch)}")
    for index, operation in enumerate(patch):
        if fault := _malformed(operation):
            raise BadRequest(f"operation {index} of the JSON patch is malformed: {fault}")


def _malformed(operation: Any) -> str:
    if not isinstance(operation, dict):
        return "it must be an object"
    name = operation.get("op")
    if not isinstance(name, str) or name not in _NEEDS:
        return f"op must be one of {', '.join(_NEEDS)}"
    for member in _NEEDS[name]:
        if member not in operation:
            return f"{name} needs {member}"
        if member != "value" and not _is_pointer(operation[member]):
            return f"{member} must be a JSON pointer such as /metadata/labels/a~1b"
    return ""


def _is_pointer(text: Any) -> bool:
    try:
        jsonpointer.JsonPointer(text)
    except (jsonpointer.JsonPointerException, TypeError, AttributeError):
        return False
    return True


def _reason(operation: dict[str, Any], error: Exception) -> str:
    """Why an operation cannot be applied; the library's own words show Python's types."""
    if isinstance(error, jsonpatch.JsonPatchTestFailed):
        return "the value there is another, or none"
    if isinstance(error, RecursionError):
        return "the object is nested too deep"
    place = "from or path" if "from" in operation else "path"
    return f"{place} leads to nothing that can be changed so"


def _check_result(result: Any) -> None:
    if not isinstance(result, dict):
        raise _unusable("its result is no object")
    try:
        check_value(result)
    except ValueError as error:
        raise _unusable(f"its result is {error}") from None


def _unusable(why: str) -> Invalid:
    text = f"the JSON patch cannot be applied: {why}"
    return Invalid(text, details=Details(causes=[Cause("patch", f"Invalid value: {why}")]))


def _cannot(index: int, operation: dict[str, Any], why: str) -> ApiError:
    text = f"operation {index} ({operation['op']} {operation['path'][:200]}) cannot be applied: {why}"
    return Invalid(
        f"the server rejected our request due to an error in our request: {text}",
        details=Details(causes=[Cause(f"[{index}]", f"Invalid value: {text}")]),
    )
