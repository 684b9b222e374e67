"""What the server answered, decoded; what it refused, raised."""

import logging
from typing import Any

import httpx
import orjson
from pydantic import ValidationError

from apiserver.api.errors import InternalError, ServiceUnavailable, from_status
from apiserver.api.meta import ResourceT
from apiserver.client.interface import Page

log = logging.getLogger(__name__)


async def raise_for_status(response: httpx.Response) -> None:
    """Return on success. Raises the ApiError that the answer's Status, or else its code, stands for."""
    if response.is_success:
        return
    await response.aread()
    status = _read_status(response.content)
    if status is None:
        text = " ".join(response.text[:1000].split())[:200] or response.reason_phrase
        status = {
            "message": f"the server answered {response.status_code}, which is not how a Plum server talks: {text}"
        }
    status["code"] = response.status_code
    wait = response.headers.get("retry-after", "")
    if wait.isdecimal() and len(wait) < 6:
        # A proxy in between may say so in the header alone.
        status["details"] = {"retryAfterSeconds": int(wait)} | (status.get("details") or {})
    raise from_status(status)


def unreachable(server: str, error: httpx.RequestError) -> ServiceUnavailable:
    """The server does not answer, or not as the one it should be."""
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        reason += "; --ca-file, PLUM_CA_FILE or the kubeconfig say whose certificates it may have"
    return ServiceUnavailable(f"cannot reach the API server at {server}: {reason}")


def _read_status(raw: bytes) -> dict[str, Any] | None:
    try:
        status = orjson.loads(raw)
        if isinstance(status, dict) and status.get("kind") == "Status":
            from_status(status)
            return status
    except (ValueError, TypeError, AttributeError):
        pass
    return None


def decode(kind: type[ResourceT], raw: bytes) -> ResourceT:
    """The object in an answer. Raises InternalError."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise InternalError(f"the server's answer is not a {kind.__name__} that can be read: {error}") from error


def decode_page(kind: type[ResourceT], raw: bytes) -> Page[ResourceT]:
    """The page in an answer; objects that cannot be read are logged and skipped. Raises InternalError."""
    try:
        body = orjson.loads(raw)
        metadata, items = body["metadata"], list(body["items"])
        version, token = str(metadata["resourceVersion"]), str(metadata.get("continue") or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InternalError(f"the server's answer is not a list of {kind.__name__}") from error
    found, skipped = [], []
    for item in items:
        try:
            found.append(kind.from_body(item))
        except ValidationError as error:
            skipped.append(_key(item))
            log.warning("%s: an object in the list cannot be read: %s", kind.__name__, error)
    return Page(tuple(found), version, token, tuple(skipped))


def _key(item: object) -> tuple[str, str]:
    """Namespace and name of something that is hardly an object; empty where it has none."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        return "", ""
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
