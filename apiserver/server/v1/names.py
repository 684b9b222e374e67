"""How objects are called over ``/v1``, and how times are told there."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from apiserver.api.kinds.app import artifact_path, artifact_url
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.kinds.task import TASK_NAME_LENGTH
from apiserver.api.meta import parse_time
from apiserver.api.names import object_name, shown_name

MANAGER = "plum-v1"
"""The field manager of what clients of ``/v1`` write."""


def task_name(given: str) -> str:
    """The object name of a task that people call so."""
    return object_name(given, longest=TASK_NAME_LENGTH)


def given_name(metadata: Mapping[str, Any]) -> str:
    """The name that people know a task by."""
    return shown_name(metadata["name"], metadata.get("annotations") or {}, longest=TASK_NAME_LENGTH)


def shown_id(namespace: str, name: str) -> str:
    """The id of an object: its name, with its namespace in front outside ``default``."""
    return name if namespace == DEFAULT else f"{namespace}.{name}"


def read_id(text: str) -> tuple[str, str]:
    """Namespace and name that an id stands for; names of assignments hold no dot."""
    namespace, dot, name = text.rpartition(".")
    return (namespace, name) if dot else (DEFAULT, text)


@lru_cache(maxsize=65536)
def unix(moment: str | None) -> int:
    """Whole Unix seconds of an RFC 3339 text; 0 for none."""
    return int(parse_time(moment).timestamp()) if moment else 0


def template_url(template: Mapping[str, str]) -> str:
    """Where a client of ``/v1`` fetches what a template runs: uploads are known there by their file names."""
    name, version, sha256 = template.get("appName"), template.get("appVersion"), template["sha256"]
    is_upload = template["artifactUrl"] == artifact_path(sha256)
    return artifact_url(name, version, sha256) if is_upload and name and version else template["artifactUrl"]
