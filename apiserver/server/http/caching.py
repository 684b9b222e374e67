"""How long clients may keep an answer, whether they have it already, and what they may make of it."""

from starlette.requests import Request

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

AS_IT_IS = {"x-content-type-options": "nosniff"}
"""Of bytes that apps and uploads made: a browser is to take none of them for a script, least of all one of the UI's."""


def is_known(request: Request, tag: str) -> bool:
    """Whether an ``If-None-Match`` names the entity tag."""
    header = request.headers.get("if-none-match", "")
    bare = tag.removeprefix("W/")
    return header.strip() == "*" or bare in (part.strip().removeprefix("W/") for part in header.split(","))
