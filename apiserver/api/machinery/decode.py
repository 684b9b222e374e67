"""A wire object to its canonical form: unknown fields found and pruned, then the kind's model validated."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from apiserver.api.errors import BadRequest, Cause, Details, Invalid
from apiserver.api.machinery.documents import Document, dotted_path
from apiserver.api.machinery.fieldsets import item_key, member_key
from apiserver.api.meta import Body, Resource, is_dns_label, is_label_value, is_qualified_name
from apiserver.api.schema import Schema
from apiserver.api.scheme import Kind, Served

Mode = Literal["Strict", "Warn", "Ignore"]
MAX_ANNOTATIONS = 256 * 1024
MAX_ENTRIES = 1000
"""Labels, annotations, finalizers or owners of one object."""

_MAX_TOLD = 50
"""Faults that one error lists."""

_LONGEST_PATH = 200


def decode(kind: Served, document: Document, mode: Mode) -> tuple[Body, list[str]]:
    """The object without what its kind does not know, and warnings about that.

    Strict raises BadRequest for unknown and duplicate fields instead. Neither defaults nor validates.
    """
    _check_shape(kind, document.body)
    body, unknown = prune(kind, document.body)
    found = [f'unknown field "{path[:_LONGEST_PATH]}"' for path in unknown]
    found += [f'duplicate field "{path[:_LONGEST_PATH]}"' for path in document.duplicates]
    if len(found) > _MAX_TOLD:
        found = [*found[:_MAX_TOLD], f"and {len(found) - _MAX_TOLD} more"]
    if found and mode == "Strict":
        raise BadRequest(
            f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: '
            f"strict decoding error: {', '.join(found)}"
        )
    return body, found if mode == "Warn" else []


def _check_shape(kind: Served, body: Body) -> None:
    for field, wanted in (("apiVersion", kind.api_version), ("kind", kind.name)):
        given = body.get(field)
        if given not in (None, "", wanted):
            raise BadRequest(f"{field}: the object says {given!r}, the request is about {wanted!r}")
    for field in ("metadata", "spec", "status"):
        if field in kind.schema.fields:
            _check_type(field, body.get(field), dict, "an object")
    metadata = body.get("metadata") or {}
    for name, (container, text) in _METADATA_TYPES.items():
        _check_type(f"metadata.{name}", metadata.get(name), container, text)


def _check_type(field: str, value: Any, wanted: type, text: str) -> None:
    if value is not None and not isinstance(value, wanted):
        raise BadRequest(f"{field}: must be {text}, not {_shown(value)}")


_METADATA_TYPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("labels", "annotations"), (dict, "an object of texts")),
    **dict.fromkeys(("finalizers", "ownerReferences", "managedFields"), (list, "a list")),
    **dict.fromkeys(("name", "namespace", "generateName", "resourceVersion", "uid"), (str, "a text")),
}


_NESTED = (dict, list)


def prune(kind: Served, body: Body) -> tuple[Body, list[str]]:
    """A copy without unknown and null fields, and the dotted paths of the unknown ones."""
    unknown: list[str] = []
    pruned = _pruned(kind.schema, body, (), unknown)
    pruned.setdefault("metadata", {})
    return pruned, unknown


def _pruned(schema: Schema, value: Any, steps: tuple[str | int, ...], unknown: list[str]) -> Any:
    """``steps`` becomes a text only where it is told: nearly every field is known."""
    if schema.type == "object" and isinstance(value, dict):
        made = {}
        for key, item in value.items():
            known = schema.fields.get(key)
            if known is None and not schema.keeps_unknown:
                unknown.append(dotted_path((*steps, key)))
            elif isinstance(item, _NESTED) and known is not None:
                made[key] = _pruned(known, item, (*steps, key), unknown)
            elif item is not None:
                made[key] = item
        return made
    if schema.items is not None and isinstance(value, dict) and schema.type == "map":
        return {key: item for key, item in value.items() if item is not None}
    if schema.items is not None and isinstance(value, list):
        return [_pruned(schema.items, item, (*steps, i), unknown) for i, item in enumerate(value)]
    return value


def validate(kind: Kind, body: Body) -> Body:
    """The canonical form: typed, with defaults, without empty values. Raises Invalid with all causes."""
    return parse(kind, body).to_body()


def parse(kind: Kind, body: Body) -> Resource:
    """The object as its model. Raises Invalid with all causes."""
    causes = [*check_metadata(kind, body), *_repeated(kind.schema, body, "")]
    try:
        model = kind.model.model_validate_json(orjson.dumps(body), strict=True)
    except ValidationError as error:
        causes += causes_of(error)
    else:
        if not causes:
            return model
    raise invalid(kind, str((body.get("metadata") or {}).get("name", "")), causes)


def invalid(kind: Served, name: str, causes: Sequence[Cause]) -> Invalid:
    """The refusal of an object that breaks rules, each told once."""
    causes = _without_echoes(list({(cause.field, cause.message): cause for cause in causes}.values()))[:_MAX_TOLD]
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return Invalid(
        f'{kind.qualified} "{name}" is invalid: {text}',
        details=Details(name=name, group=kind.group, kind=kind.name, causes=causes),
    )


def _repeated(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    """Items of list maps that have the key of an earlier one, and members that are in a set twice: apply could not
    tell them apart."""
    if isinstance(value, dict):
        for key, item in value.items():
            known = schema.fields.get(key) or schema.items
            if known is not None and known.tells_apart and isinstance(item, _NESTED):
                yield from _repeated(known, item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and schema.items is not None:
        if schema.keys or schema.is_set:
            yield from _repeated_items(schema, value, path)
        for index, item in enumerate(value if schema.items.tells_apart else ()):
            if isinstance(item, dict):
                yield from _repeated(schema.items, item, f"{path}[{index}]")


def _repeated_items(schema: Schema, items: list[Any], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        key = item_key(schema, item) if schema.keys else member_key(item)
        if key is not None and key in seen:
            field, value = f"{path}[{index}]", item
            if schema.keys:
                field, value = f"{field}.{schema.keys[0]}", item.get(schema.keys[0])
            yield Cause(field, f"Duplicate value: {_shown(value)}", "FieldValueDuplicate")
        seen.add(key or "")


def _without_echoes(causes: list[Cause]) -> list[Cause]:
    """Without what a list says only because its items are wrong."""
    fields = [cause.field for cause in causes]
    return [
        cause
        for cause in causes
        if "the list must have at least" not in cause.message
        or not any(f.startswith(f"{cause.field}[") for f in fields)
    ]


_TYPE_ERRORS = {
    "string_type": "string",
    "int_type": "integer",
    "float_type": "number",
    "bool_type": "boolean",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "tuple_type": "array",
    "list_type": "array",
}
_TIME_ERRORS = ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware")


def causes_of(error: ValidationError) -> list[Cause]:
    """What a model did not take, field by field."""
    return [_cause(found) for found in error.errors(include_url=False, include_input=True)]


def _cause(error: Any) -> Cause:
    field = _dotted(error["loc"])
    kind, shown = error["type"], _shown(error.get("input"))
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if kind == "missing":
        return Cause(field, "Required value", "FieldValueRequired")
    if kind in _TYPE_ERRORS:
        return Cause(field, f"Invalid value: {shown}: must be of type {_TYPE_ERRORS[kind]}", "FieldValueTypeInvalid")
    if kind in _TIME_ERRORS:
        message = f"Invalid value: {shown}: must be a time with its zone, such as 2026-01-31T12:00:00Z"
        return Cause(field, message, "FieldValueTypeInvalid")
    if kind == "literal_error":
        wanted = error["ctx"]["expected"].replace("'", '"')
        return Cause(field, f"Unsupported value: {shown}: supported values: {wanted}", "FieldValueNotSupported")
    if kind == "string_too_long":
        return Cause(field, f"Too long: may not be longer than {error['ctx']['max_length']}", "FieldValueTooLong")
    if kind == "string_pattern_mismatch":
        message = f"must match {error['ctx']['pattern']}"
    message = message.replace("should be", "must be").replace("should have", "must have").replace("Tuple", "the list")
    message = message.replace(" after validation", "")
    reason = "FieldValueTooLong" if kind == "too_long" else "FieldValueInvalid"
    told = f"Invalid value: {message}" if shown in _CONTAINERS else f"Invalid value: {shown}: {message}"
    return Cause(field, told, reason)


_CONTAINERS = ("object", "array")


def _dotted(location: tuple[Any, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _shown(value: Any) -> str:
    """A short JSON form of what was given; containers are only named."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    # Reports are read by their models, which know numbers of any size.
    text = str(value) if type(value) is int else orjson.dumps(value, default=str).decode()
    return text if len(text) <= 80 else f"{text[:77]}…"


def check_metadata(kind: Kind, body: Body) -> list[Cause]:
    """What is wrong with the metadata that all kinds share."""
    metadata = body.get("metadata") or {}
    causes = [*_check_name(kind, metadata)]
    for where, items in ((f"metadata.{key}", metadata.get(key) or ()) for key in _BOUNDED):
        if len(items) > MAX_ENTRIES:
            causes.append(Cause(where, f"Too many: {len(items)}: must have at most {MAX_ENTRIES} items"))
    causes += [*_check_labels(metadata.get("labels") or {}), *_check_annotations(metadata.get("annotations") or {})]
    causes += [
        Cause("metadata.finalizers", f"Invalid value: {_shown(name)}: is not a qualified name")
        for name in metadata.get("finalizers") or ()
        if not (isinstance(name, str) and is_qualified_name(name))
    ]
    return [*causes, *_check_owners(metadata.get("ownerReferences") or ())]


def _check_owners(owners: Sequence[Any]) -> Iterator[Cause]:
    """References without empty parts, and one controller at most."""
    controllers = 0
    for index, owner in enumerate(owners):
        if not isinstance(owner, dict):
            continue  # the model says so
        for key in ("apiVersion", "kind", "name", "uid"):
            if owner.get(key) in ("", None):
                yield Cause(f"metadata.ownerReferences[{index}].{key}", "Required value", "FieldValueRequired")
        controllers += owner.get("controller") is True
    if controllers > 1:
        yield Cause("metadata.ownerReferences", f"Invalid value: {controllers} controllers: must have at most one")


def _check_labels(labels: dict[str, Any]) -> Iterator[Cause]:
    for key, value in labels.items():
        if not is_qualified_name(key):
            yield Cause("metadata.labels", f"Invalid value: {_shown(key)}: is not a label key")
        if isinstance(value, str) and not is_label_value(value):
            yield Cause("metadata.labels", f"Invalid value: {_shown(value)}: is not a label value")


def _check_annotations(annotations: dict[str, Any]) -> Iterator[Cause]:
    for key in annotations:
        if not is_qualified_name(key):
            yield Cause("metadata.annotations", f"Invalid value: {_shown(key)}: is not an annotation key")
    size = sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATIONS:
        yield Cause("metadata.annotations", f"Too long: {size} bytes; at most {MAX_ANNOTATIONS} in all")


_BOUNDED = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields")


def _check_name(kind: Kind, metadata: dict[str, Any]) -> list[Cause]:
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    if namespace and kind.namespaced and not is_dns_label(namespace):
        return [Cause("metadata.namespace", f"Invalid value: {_shown(namespace)}: must be a DNS label")]
    if not name and not metadata.get("generateName"):
        return [Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")]
    if name and not kind.is_name(name):
        return [Cause("metadata.name", f"Invalid value: {_shown(name)}: must be {kind.name_rule}")]
    return []
