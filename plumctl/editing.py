"""What ``plumctl edit`` makes of texts: the file that is edited, and the patch of what was changed in it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from apiserver.api.errors import ApiError
from apiserver.api.machinery.yaml_documents import read_yaml
from apiserver.api.meta import Body
from plumctl.printers import as_json, as_yaml

Form = Literal["yaml", "json"]

_HEAD = (
    "Please edit the object below. Lines beginning with a '#' will be ignored,",
    "and an empty file will abort the edit. If an error occurs while saving this file will be",
    "reopened with the relevant failures.",
    "",
)
MAX_REASONS = 50
ABSENT = object()


class BadEdit(ValueError):
    """Why what was saved cannot be sent, a line a reason."""


def as_file(text: str, reasons: Sequence[str] = ()) -> str:
    """The text with its comments at the top."""
    comments = [*_HEAD, *(line for reason in reasons[:MAX_REASONS] for line in reason.splitlines())]
    comments += [""] if reasons else []
    return "".join(f"# {line}".rstrip() + "\n" for line in comments) + text


def as_edited(body: Body, form: Form) -> str:
    """An object as text, without its field managers."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    shown = dict(body, metadata=metadata)
    return f"{as_yaml(shown) if form == 'yaml' else as_json(shown)}\n"


def without_comments(text: str) -> str:
    """The lines that are no comments."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def read_edited(text: str, original: Body) -> Body:
    """The object that was saved. Raises BadEdit for what is no object, or another one."""
    try:
        documents = read_yaml(text)
    except ApiError as error:
        raise BadEdit(error.message) from error
    if len(documents) != 1:
        raise BadEdit(f"the file must hold one object, not {len(documents)}")
    body, repeated = documents[0].body, documents[0].duplicates
    if repeated:
        raise BadEdit("\n".join(f"{path} is written twice" for path in repeated))
    if not isinstance(body.get("metadata"), dict):
        raise BadEdit("metadata: Required value")
    for path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        if dig(body, path) != dig(original, path):
            raise BadEdit(f"{'.'.join(path)}: At least one of apiVersion, kind and name was changed")
    return body


def difference(before: Body, after: Body) -> Body:
    """The merge patch that makes the one of the other; lists are replaced as a whole."""
    patch: Body = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key, ABSENT)
        if isinstance(old, dict) and isinstance(value, dict):
            if inner := difference(old, value):
                patch[key] = inner
        elif old is ABSENT or old != value or isinstance(old, bool) != isinstance(value, bool):
            patch[key] = value
    return patch


def changed_meanwhile(patch: Body, original: Body, present: Body) -> list[str]:
    """The paths of the patch where the present object is not as the original was."""
    return [".".join(path) for path in _leaves(patch, ()) if dig(original, path) != dig(present, path)]


def _leaves(patch: Body, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in patch.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield *above, key


def dig(body: Any, path: Sequence[str]) -> Any:
    """What is at a path, ABSENT where there is nothing."""
    for key in path:
        if not isinstance(body, dict) or key not in body:
            return ABSENT
        body = body[key]
    return body
