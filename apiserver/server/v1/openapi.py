"""The OpenAPI document of ``/v1``, made from the table of operations, and the Swagger page that shows it."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from apiserver.api.errors import NotFound
from apiserver.server.v1.operations import Operation, Parameter

_REF = "#/components/schemas/{model}"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_ALWAYS = {
    401: "No valid bearer token, where the server demands one.",
    403: "The request comes from a web page that may not.",
    405: "The path does not take this method.",
    413: "The body is too large.",
    500: "A fault of the server.",
    503: "The server cannot do it now; try again.",
    504: "It took too long.",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plum /v1</title>
<link rel="icon" href="/swagger/favicon-32x32.png">
<link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/swagger/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/swagger/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'"


class Swagger:
    """The endpoints under ``/swagger``."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations
        package = find_spec("swagger_ui")  # not imported: only what it ships is wanted
        assert package is not None
        assert package.origin is not None
        self._assets = Path(package.origin).parent / "static"

    async def page(self, request: Request) -> Response:
        """The Swagger UI."""
        return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})

    async def openapi(self, request: Request) -> Response:
        """The document, made when it is asked for first: no start has to wait for it."""
        return Response(self._document, media_type="application/json")

    @cached_property
    def _document(self) -> bytes:
        return orjson.dumps(document(self._operations)) + b"\n"

    async def asset(self, request: Request) -> Response:
        """What the page is made of. Raises NotFound."""
        name = request.path_params["name"]
        if name == "start.js":
            return Response(_START, media_type="text/javascript")
        if name not in _ASSETS:
            raise NotFound(f"{name[:80]!r} is no part of the Swagger page")
        return FileResponse(self._assets / name, media_type=_ASSETS[name])


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document. Pure."""
    bodies = [(operation.body, "validation") for operation in operations if operation.body is not None]
    _, models = models_json_schema(list(dict.fromkeys(bodies)), ref_template=_REF)  # type: ignore[arg-type]
    schemas: dict[str, Any] = dict(models.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    schemas = {name: _plain(schema) for name, schema in schemas.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Plum /v1",
            "version": version("plum"),
            "description": "The API of the original Plum, as views over the objects of `/apis/plum.dev/v1`. "
            "Errors are one line of text.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }


def _plain(schema: Any) -> Any:
    """A schema without what only repeats the names of its fields, and without defaults that say nothing."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    is_noise = {"title": lambda value: isinstance(value, str), "default": lambda value: value is None}
    return {key: _plain(value) for key, value in schema.items() if not is_noise.get(key, lambda value: False)(value)}


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": "_".join([operation.method.lower(), *re.findall(r"\w+", operation.path)]),
        "tags": [operation.path.split("/")[2]],
        "responses": _responses(operation, schemas),
    }
    parameters = [_parameter(parameter) for parameter in operation.query]
    if "{id}" in operation.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        schema = {"$ref": _REF.format(model=operation.body.__name__)}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.is_upload:
        file = {"type": "string", "format": "binary"}
        form = {"type": "object", "required": ["file"], "properties": {"file": file}}
        found["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.type == "integer":
        schema |= {"minimum": 0, "maximum": parameter.most}
    elif parameter.required:
        schema |= {"minLength": 1}
    if parameter.enum:
        schema["enum"] = list(parameter.enum)
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    }


def _responses(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if operation.is_stream:
        content = {"text/event-stream": {"schema": {"type": "string"}}}
        found["200"] = {
            "description": "Events `ping` and `update`, for as long as the client listens.",
            "content": content,
        }
    elif operation.answer is not None:
        content = {"application/json": {"schema": _schema(operation.answer, schemas)}}
        found["200"] = {"description": "Done.", "content": content}
    else:
        found["204"] = {"description": "Done."}
    found |= {str(code): {"description": text} for code, text in operation.also.items()}
    errors: Mapping[int, str] = _ALWAYS | dict(operation.errors)
    text = {"text/plain": {"schema": {"type": "string"}}}
    return found | {str(code): {"description": words, "content": text} for code, words in sorted(errors.items())}


def _schema(answer: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    found = TypeAdapter(answer).json_schema(ref_template=_REF, mode="serialization")
    schemas |= found.pop("$defs", {})
    name = getattr(answer, "__name__", "")
    if found.get("type") == "object" and name:
        schemas[name] = found
        return {"$ref": _REF.format(model=name)}
    return found
