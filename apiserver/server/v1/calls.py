"""What a handler is given, and how it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import BadRequest
from apiserver.server.http.lists import JSON
from apiserver.server.http.requests import ApiRequest, read_body
from apiserver.server.store.decisions import Actor
from apiserver.server.v1.names import MANAGER

ModelT = TypeVar("ModelT", bound=BaseModel)
_MAX_NUMBER = 10_000_000


@dataclass(frozen=True)
class Call:
    """One request."""

    request: Request
    id: str = ""
    """What stands in the path's ``{id}``."""

    @property
    def actor(self) -> Actor:
        """Who makes it, for the history."""
        return Actor(self.request.scope.get("user_name", ""), MANAGER)

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters."""
        return self.request.query_params

    async def body(self, model: type[ModelT]) -> ModelT:
        """The JSON body, whatever its content type says. Raises BadRequest that names the field, TooLarge."""
        raw = await read_body(self.request)
        try:
            return model.model_validate_json(raw, strict=True)
        except ValidationError as error:
            raise BadRequest(f"bad request: {_first(error)}") from None

    def required(self, name: str) -> str:
        """A parameter that must be there. Raises BadRequest."""
        value = self.query.get(name, "")
        if not value:
            raise BadRequest(f"{name} required: add ?{name}=… to the URL")
        return value

    def number(self, name: str, default: int = 0, *, most: int = _MAX_NUMBER) -> int:
        """A whole number of the query, not negative. Raises BadRequest."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
            raise BadRequest(f"bad {name}: {text[:40]!r} is not a whole number between 0 and {most}")
        return int(text)


def call_of(scope: Any, receive: Any, id: str) -> Call:
    """The call of an ASGI request."""
    return Call(ApiRequest(scope, receive), id)


def json_reply(value: Any) -> Response:
    """Compact JSON with everything raw and one trailing newline."""
    return raw_reply(orjson.dumps(value))


def raw_reply(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that is rendered already."""
    return Response(body + b"\n", media_type=JSON, headers=headers)


def no_content() -> Response:
    """It is done, and there is nothing to say."""
    return Response(status_code=204)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(step) for step in found["loc"])
    message = str(found["msg"])
    return f"{field}: {message}" if field else message
