"""RFC 7386 merge patch and RFC 6902 JSON patch. Neither touches its target."""

from typing import Any

import jsonpatch
import jsonpointer
import orjson

from apiserver.api.errors import BadRequest, Cause, Details, Invalid
from apiserver.api.meta import Body

MAX_OPERATIONS = 10_000
MAX_RESULT_BYTES = 6 * 1024 * 1024
"""What a JSON patch may blow an object up to; ``copy`` doubles."""


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
    if not isinstance(patch, list) or not all(isinstance(operation, dict) for operation in patch):
        raise BadRequest("a JSON patch must be a list of operations")
    if len(patch) > MAX_OPERATIONS:
        raise BadRequest(f"a JSON patch may have at most {MAX_OPERATIONS} operations")
    result: Any = orjson.loads(orjson.dumps(target))
    for index, operation in enumerate(patch):
        result = _applied(result, operation, index)
        if operation.get("op") == "copy" and _size(result) > MAX_RESULT_BYTES:
            raise _cannot(index, "the object grows past the limit")
    if not isinstance(result, dict):
        raise _cannot(len(patch) - 1, "the result is no object")
    return result


def _size(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:  # nested too deeply
        return MAX_RESULT_BYTES + 1


def _applied(result: Any, operation: dict[str, Any], index: int) -> Any:
    try:
        return jsonpatch.JsonPatch([operation]).apply(result, in_place=True)
    except (jsonpatch.InvalidJsonPatch, jsonpointer.JsonPointerException) as error:
        if isinstance(error, jsonpatch.JsonPatchConflict | jsonpatch.JsonPatchTestFailed):
            raise _cannot(index, str(error)) from None
        path = operation.get("path")
        readable = isinstance(error, jsonpointer.JsonPointerException) and isinstance(path, str)
        if readable and (path == "" or str(path).startswith("/")):
            raise _cannot(index, str(error)) from None
        raise BadRequest(f"operation {index} of the JSON patch is malformed: {error}") from None
    except jsonpatch.JsonPatchException as error:
        raise _cannot(index, str(error)) from None
    except (TypeError, AttributeError, KeyError, IndexError, ValueError) as error:
        # The library lets these out for operations on values of unexpected types.
        raise _cannot(index, str(error)) from None


def _cannot(index: int, why: str) -> Invalid:
    short = why.partition("\n")[0][:300]
    cause = Cause(f"[{index}]", f"Invalid value: the operation cannot be applied: {short}")
    return Invalid(
        f"the server rejected our request due to an error in our request: operation {index}: {short}",
        details=Details(causes=[cause]),
    )
