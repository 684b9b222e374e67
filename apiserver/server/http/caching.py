"""How long clients may keep an answer, and whether they have it already."""

from starlette.requests import Request

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def is_known(request: Request, tag: str) -> bool:
    """Whether an ``If-None-Match`` names the entity tag."""
    header = request.headers.get("if-none-match", "")
    bare = tag.removeprefix("W/")
    return header.strip() == "*" or bare in (part.strip().removeprefix("W/") for part in header.split(","))
