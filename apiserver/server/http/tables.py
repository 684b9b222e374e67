"""The Table form: what ``kubectl get`` and ``plumctl get`` print, made from the kind's columns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apiserver.api.meta import Body
from apiserver.api.scheme import Served
from apiserver.server.http.partials import META, partial


def definitions(kind: Served) -> list[dict[str, Any]]:
    """The table's columns."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column.name == "Name" else "",
            "description": column.description,
            "priority": column.priority,
        }
        for column in kind.columns
    ]


def row(kind: Served, body: Body, now: datetime, include: str) -> dict[str, Any]:
    """One object's row; ``include`` says how much of the object goes along."""
    made: dict[str, Any] = {"cells": [column.value(body, now) for column in kind.columns]}
    if include == "Object":
        made["object"] = body
    elif include != "None":
        made["object"] = partial(body)
    return made


def table(kind: Served, rows: Sequence[dict[str, Any]], metadata: dict[str, Any], *, headed: bool = True) -> Body:
    """A whole table; later frames of a watch go without column definitions."""
    return {
        "kind": "Table",
        "apiVersion": META,
        "metadata": metadata,
        "columnDefinitions": definitions(kind) if headed else [],
        "rows": list(rows),
    }
