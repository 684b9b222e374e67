"""One exception a Status reason; the HTTP surface and the client share them.

Messages follow the Kubernetes API server's to the letter where clients are known to read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

CauseReason = Literal[
    "FieldValueRequired",
    "FieldValueInvalid",
    "FieldValueNotSupported",
    "FieldValueDuplicate",
    "FieldValueTypeInvalid",
    "FieldValueForbidden",
    "FieldValueTooLong",
    "FieldManagerConflict",
    "InUse",
]


@dataclass(frozen=True)
class Cause:
    """What is wrong with one field, and how to mend it."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def to_body(self) -> dict[str, str]:
        """The form in ``details.causes``."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


@dataclass(frozen=True)
class Details:
    """What the failed request was about; ``kind`` is the plural resource name (Invalid: the Kind)."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: Sequence[Cause] = ()
    retry_after_seconds: int = 0

    def to_body(self) -> dict[str, Any]:
        """The wire form, without empty values."""
        body: dict[str, Any] = {
            "name": self.name,
            "group": self.group,
            "kind": self.kind,
            "uid": self.uid,
            "causes": [cause.to_body() for cause in self.causes],
            "retryAfterSeconds": self.retry_after_seconds,
        }
        return {key: value for key, value in body.items() if value}


class ApiError(Exception):
    """A refused or failed request. ``reason`` is what programs branch on, never the message."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, details: Details | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or Details()

    def to_status(self) -> dict[str, Any]:
        """The Status object that goes over the wire."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details.to_body(),
            "code": self.code,
        }


class BadRequest(ApiError):
    """The request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """Nobody has proved who they are."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    """Who asks may not."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    """No such object, or no such path."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    """The resource has no such verb."""

    code, reason = 405, "MethodNotAllowed"
    allowed: Sequence[str] = ()
    """The methods that it has, if they are known (RFC 9110's ``Allow``)."""


class NotAcceptable(ApiError):
    """None of the accepted media types can be served."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    """Create met an object of that name."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    """The object has changed since it was read, or another manager owns the field."""

    code, reason = 409, "Conflict"


class Expired(ApiError):
    """The version is older than the kept history: list again."""

    code, reason = 410, "Expired"


class TooLarge(ApiError):
    """The body is over the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """The body's media type is none that the verb takes."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """The object breaks a rule of its kind; ``details.causes`` names each field."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    """Try again after ``details.retryAfterSeconds``."""

    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    """A fault of the server."""

    code, reason = 500, "InternalError"


class ServiceUnavailable(ApiError):
    """The server cannot do it now."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """It took too long; whether it happened is not known."""

    code, reason = 504, "Timeout"


_BY_REASON: dict[str, type[ApiError]] = {cls.reason: cls for cls in ApiError.__subclasses__()}
_BY_CODE: dict[int, type[ApiError]] = {cls.code: cls for cls in ApiError.__subclasses__()} | {409: Conflict}


def from_status(status: Mapping[str, Any]) -> ApiError:
    """The exception for a Status object; an unknown reason falls back on the code."""
    details = status.get("details") or {}
    code = int(status.get("code") or 500)
    cls = _BY_REASON.get(str(status.get("reason", "")), _BY_CODE.get(code, InternalError))
    causes = [
        Cause(str(c.get("field", "")), str(c.get("message", "")), str(c.get("reason", "")))
        for c in details.get("causes") or ()
    ]
    return cls(
        str(status.get("message") or f"the server answered {code}"),
        details=Details(
            name=str(details.get("name", "")),
            group=str(details.get("group", "")),
            kind=str(details.get("kind", "")),
            uid=str(details.get("uid", "")),
            causes=causes,
            retry_after_seconds=int(details.get("retryAfterSeconds") or 0),
        ),
    )
