"""Who owns which fields of an object: its ``managedFields``, read, checked and written."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from apiserver.api.errors import Cause, Details, Invalid
from apiserver.api.machinery.fieldsets import FieldSet, from_fields_v1, to_fields_v1
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind

MAX_UPDATERS = 10
"""Entries of operation Update in one object, as in Kubernetes; the oldest are merged into one entry."""

ANCIENT = "ancient-changes"
"""The manager of that entry."""

BEFORE_APPLY = "before-first-apply"
"""The manager of what an object held that nobody's books knew when it was applied for the first time."""

MAX_NAME = 128
"""Characters of a manager's name, and of a subresource's."""

_EMPTY: Mapping[str, Any] = {"operation": "Update", "fieldsType": "FieldsV1"}
"""What an entry ``{}`` is in canonical form, but for its empty values."""


class Owner(NamedTuple):
    """The key of an entry."""

    manager: str
    operation: str
    api_version: str
    subresource: str


class Entry(NamedTuple):
    """What an owner has, and since when (RFC 3339, empty where nobody knows)."""

    fields: FieldSet
    time: str


NOTHING = Entry(frozenset(), "")
Entries = dict[Owner, Entry]


def read(body: Body | None) -> Entries:
    """The entries of a stored object. One that cannot be read, which none is, counts for nothing."""
    found: Entries = {}
    for listed in (body or {"metadata": {}})["metadata"].get("managedFields") or ():
        owner, fields = _owner(listed), listed.get("fieldsV1") or {}
        try:
            found[owner] = Entry(from_fields_v1(fields), str(listed.get("time", "")))
        except ValueError:
            continue
    return found


def read_given(kind: Kind, body: Body) -> Entries:
    """The entries that a client has set itself; none at all, or a single empty one, is a reset. Raises Invalid."""
    listed = body["metadata"].get("managedFields") or []
    if len(listed) == 1 and {key: value for key, value in listed[0].items() if value}.items() <= _EMPTY.items():
        return {}
    causes = [cause for index, entry in enumerate(listed) for cause in _faults(kind, index, entry)]
    owners = [_owner(entry) for entry in listed]
    if not causes and len({*owners}) < len(owners):
        twice = next(index for index, owner in enumerate(owners) if owner in owners[:index])
        name = owners[twice].manager
        causes = [Cause(_at(twice, "manager"), f'Duplicate value: "{name}": join its entries', "FieldValueDuplicate")]
    if causes:
        name = str(body["metadata"].get("name", ""))
        text = "; ".join(f"{cause.field}: {cause.message}" for cause in causes[:5])
        details = Details(name=name, group=kind.group, kind=kind.name, causes=causes)
        raise Invalid(f'{kind.qualified} "{name}" is invalid: {text}', details=details)
    return read(body)


def _faults(kind: Kind, index: int, entry: Body) -> Iterator[Cause]:
    for key in ("manager", "subresource"):
        text = str(entry.get(key) or "")
        if len(text) > MAX_NAME or not text.isprintable():
            told = f"Invalid value: must be printable and have at most {MAX_NAME} characters"
            yield Cause(_at(index, key), told)
    if entry.get("apiVersion") != kind.api_version:
        told = f'Unsupported value: supported values: "{kind.api_version}"'
        yield Cause(_at(index, "apiVersion"), told, "FieldValueNotSupported")
    try:
        from_fields_v1(entry.get("fieldsV1") or {})
    except ValueError as error:
        yield Cause(_at(index, "fieldsV1"), f"Invalid value: {error}")


def _at(index: int, key: str) -> str:
    return f"metadata.managedFields[{index}].{key}"


def _owner(listed: Body) -> Owner:
    return Owner(
        str(listed.get("manager") or ""),
        str(listed.get("operation") or "Update"),
        str(listed.get("apiVersion") or ""),
        str(listed.get("subresource") or ""),
    )


def with_entries(body: Body, entries: Entries) -> Body:
    """``body`` with these entries, in Kubernetes' order; who owns nothing has none."""
    listed: list[dict[str, Any]] = []
    for owner, entry in sorted(entries.items(), key=lambda item: (item[0].operation, item[1].time, item[0])):
        if not entry.fields:
            continue
        made: dict[str, Any] = {"manager": owner.manager, "operation": owner.operation}
        made |= {"apiVersion": owner.api_version} if owner.api_version else {}
        made |= {"time": entry.time} if entry.time else {}
        made |= {"fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(entry.fields)}
        listed.append(made | ({"subresource": owner.subresource} if owner.subresource else {}))
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return dict(body, metadata=metadata | ({"managedFields": listed} if listed else {}))


def capped(entries: Entries) -> Entries:
    """The entries with the oldest updaters joined, so that their number does not grow with every new client."""
    updaters = sorted((entry.time, owner) for owner, entry in entries.items() if owner.operation == "Update")
    if len(updaters) <= MAX_UPDATERS:
        return entries
    left = dict(entries)
    oldest = updaters[: len(updaters) - MAX_UPDATERS + 1]
    joint = Owner(ANCIENT, "Update", oldest[-1][1].api_version, "")
    fields = frozenset().union(*(left.pop(owner).fields for _, owner in oldest))
    left[joint] = Entry(fields | left.get(joint, NOTHING).fields, oldest[-1][0])
    return left
