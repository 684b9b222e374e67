"""Names of objects for what people call by any text. Pure."""

import hashlib
import re
from collections.abc import Mapping

import orjson

from apiserver.api.meta import is_dns_label

GIVEN_NAME = "plum.dev/name"
"""Annotation: the name that was given, where it cannot be the object's."""

LONGEST = 63
"""Characters of a DNS label."""

_HASH = 8


def object_name(given: str, *, longest: int = LONGEST) -> str:
    """What was given, or where that is no DNS label of at most ``longest`` characters a slug of it and a short hash."""
    return given if is_dns_label(given, longest=longest) else hashed_name(given, [given], longest=longest)


def shown_name(name: str, annotations: Mapping[str, str], *, longest: int = LONGEST) -> str:
    """The name that people know the object by: the inverse of ``object_name``."""
    given = annotations.get(GIVEN_NAME, "")
    return given if given and object_name(given, longest=longest) == name else name


def hashed_name(text: str, identity: list[str | int], *, longest: int = LONGEST) -> str:
    """A DNS label: a slug of the text, and a short hash that tells apart what is not identical."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: longest - _HASH - 1].strip("-") or "x"
    return f"{slug}-{hashlib.sha256(orjson.dumps(identity)).hexdigest()[:_HASH]}"
