"""Paths of ``plum.dev`` that belong to no kind: what is used everywhere, and watching several kinds at once."""

from typing import Any

from apiserver.api.openapi import answers, generic, parameters
from apiserver.api.openapi.components import Components
from apiserver.api.openapi.operations import JSON, STREAM, responses

Json = dict[str, Any]
BASE = "/apis/plum.dev/v1"


def paths(components: Components) -> dict[str, Json]:
    """Written down, with the schemas that they need added to ``components``."""
    batch, event = components.ref(answers.WatchEventBatch), components.ref(generic.WatchEvent)
    changes = {JSON: {"schema": batch}, STREAM: {"schema": event}}
    return {
        f"{BASE}/usage": {
            "get": {
                "operationId": "listPlumDevV1Usage",
                "tags": ["plumDevV1"],
                "description": "What nodes and instances use.",
                "parameters": list(parameters.USAGE),
                "responses": responses(components, {200: ("The figures.", components.ref(answers.UsageList))}),
            }
        },
        f"{BASE}/watch": {
            "get": {
                "operationId": "watchPlumDevV1",
                "tags": ["plumDevV1"],
                "description": "Watch several kinds on one connection, in the order in which they change.",
                "parameters": list(parameters.WATCH_SEVERAL),
                "responses": responses(components, {200: ("The changes.", changes)}),
            }
        },
    }
