"""Changing labels that others may have labels beside. Pure."""

from collections.abc import Collection, Mapping

from apiserver.api.meta import Resource


def owned(obj: Resource, manager: str, section: str) -> set[str]:
    """The labels in a section of the object, ``metadata`` or ``spec``, that a field manager owns."""
    entries = (
        entry.fields_v1.get(f"f:{section}", {}).get("f:labels", {})
        for entry in obj.metadata.managed_fields
        if entry.manager == manager
    )
    return {key.removeprefix("f:") for labels in entries for key in labels}


def changes(present: Mapping[str, str], wanted: Mapping[str, str], ours: Collection[str]) -> dict[str, str | None]:
    """A merge patch from the present labels to the wanted ones: of those that are unwanted only ``ours`` go."""
    unwanted: dict[str, str | None] = {key: None for key in present if key in ours and key not in wanted}
    return unwanted | {key: value for key, value in wanted.items() if present.get(key) != value}
