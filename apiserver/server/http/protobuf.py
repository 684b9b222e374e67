"""Request bodies in protobuf: the few types that kubectl sends so, as the JSON they would be.

kubectl posts what it knows from its own Go types (self reviews, ``create namespace``) as
``application/vnd.kubernetes.protobuf`` and does not try again as JSON. A body is ``k8s\\0`` and an envelope
(``Unknown``: what it is, and the bytes). Replies stay JSON, which every client takes.

Fields that a table does not name are skipped, as protobuf wants it. Nothing here nests deeper than the tables do,
and a body has at most ``MAX_FIELDS`` fields, so that none holds up the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

from apiserver.api.errors import BadRequest, UnsupportedMediaType
from apiserver.api.meta import Body

PROTOBUF = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"

MAX_FIELDS = 10_000
"""Fields of one body; an honest one has a few dozen, and one for each label and annotation."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Field:
    """One field of a message: its JSON name, and what it holds."""

    name: str
    holds: Union[Literal["text", "map"], "_Message"] = "text"
    repeated: bool = False


@dataclass(frozen=True)
class _Message:
    """The fields that are read, by number."""

    fields: Mapping[int, _Field] = field(default_factory=dict)


_PAIR = _Message({1: _Field("key"), 2: _Field("value")})
_METADATA = _Message(
    {
        1: _Field("name"),
        2: _Field("generateName"),
        3: _Field("namespace"),
        6: _Field("resourceVersion"),
        11: _Field("labels", "map"),
        12: _Field("annotations", "map"),
        14: _Field("finalizers", repeated=True),
    }
)
_RESOURCE = _Message(
    {
        1: _Field("namespace"),
        2: _Field("verb"),
        3: _Field("group"),
        4: _Field("version"),
        5: _Field("resource"),
        6: _Field("subresource"),
        7: _Field("name"),
    }
)
_ACCESS = _Message(
    {
        1: _Field("resourceAttributes", _RESOURCE),
        2: _Field("nonResourceAttributes", _Message({1: _Field("path"), 2: _Field("verb")})),
    }
)


def _object(spec: _Message) -> _Message:
    return _Message({1: _Field("metadata", _METADATA), 2: _Field("spec", spec)})


_TYPES = {
    ("v1", "Namespace"): _object(_Message({1: _Field("finalizers", repeated=True)})),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): _object(_ACCESS),
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): _object(_Message({1: _Field("namespace")})),
    ("authentication.k8s.io/v1", "SelfSubjectReview"): _Message({1: _Field("metadata", _METADATA)}),
}
_TYPE_META = _Message({1: _Field("apiVersion"), 2: _Field("kind")})


def read_protobuf(raw: bytes) -> Body:
    """The object in a body. Raises BadRequest where it cannot be read, UnsupportedMediaType for a type that is only
    taken as JSON."""
    if not raw.startswith(MAGIC):
        raise BadRequest("the request body is not Kubernetes protobuf: it does not begin with k8s and a NUL")
    return _Reader().object(raw[len(MAGIC) :])


class _Reader:
    """Reads one body."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def object(self, raw: bytes) -> Body:
        """The object in an envelope."""
        about, content = self._envelope(raw)
        found = (about.get("apiVersion", ""), about.get("kind", ""))
        message = _TYPES.get(found)
        if message is None:
            raise UnsupportedMediaType(
                f"the body of the request was in an unknown format ({PROTOBUF} of {found[0][:80]} {found[1][:80]}) - "
                "accepted media types include: application/json, application/yaml"
            )
        return {"apiVersion": found[0], "kind": found[1], **self._read(message, content)}

    def _envelope(self, raw: bytes) -> tuple[Body, bytes]:
        """What the body says of itself, and the object's bytes."""
        about: Body = {}
        content = b""
        for number, value in self._fields(raw):
            if number == 1 and isinstance(value, bytes):
                about |= self._read(_TYPE_META, value)
            elif number == 2 and isinstance(value, bytes):
                content = value
            elif number == 3 and value:
                raise UnsupportedMediaType("the object in the request body has a content encoding: send it without")
        return about, content

    def _read(self, message: _Message, raw: bytes, before: Body | None = None) -> Body:
        """A message as JSON, merged into what is known ``before`` of it; without what is empty: absent and empty are
        the same in protobuf."""
        made = before or {}
        for number, value in self._fields(raw):
            known = message.fields.get(number)
            if known is None:
                continue
            if not isinstance(value, bytes):
                raise _broken(f"{known.name} is not of its type")
            self._put(made, known, value)
        return made

    def _put(self, made: Body, known: _Field, value: bytes) -> None:
        """One field into the object: the last of several counts, but lists and maps grow, and messages are merged."""
        if isinstance(known.holds, _Message):
            if read := self._read(known.holds, value, made.get(known.name)):
                made[known.name] = read
        elif known.holds == "map":
            pair = self._read(_PAIR, value)
            made.setdefault(known.name, {})[pair.get("key", "")] = pair.get("value", "")
        elif known.repeated:
            made.setdefault(known.name, []).append(_text(known, value))
        elif value:
            made[known.name] = _text(known, value)
        else:
            made.pop(known.name, None)

    def _fields(self, raw: bytes) -> Iterator[tuple[int, bytes | None]]:
        """The fields of a message by number, as they come, and counted."""
        for found in _fields(raw):
            self._left -= 1
            if self._left < 0:
                raise _broken(f"it has more than {MAX_FIELDS} fields")
            yield found


def _text(known: _Field, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _broken(f"{known.name} is not UTF-8") from None


def _fields(raw: bytes) -> Iterator[tuple[int, bytes | None]]:
    """The fields of a message by number, as they come; None for a number, which nothing here needs."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise _broken("a field has the number 0")
        value: bytes | None = None
        if wire == _VARINT:
            _, at = _varint(raw, at)
        elif wire == _BYTES:
            size, at = _varint(raw, at)
            value = raw[at : at + size]
            at += size
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise _broken(f"a field has the wire type {wire}")
        if at > len(raw):
            raise _broken("it ends within a field")
        yield number, value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at a place, of at most 64 bits, and the place after it."""
    value = 0
    for position in range(10):
        if at + position >= len(raw):
            raise _broken("it ends within a number")
        byte = raw[at + position]
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise _broken("a number has more than 64 bits")


def _broken(why: str) -> BadRequest:
    return BadRequest(f"the request body is not Kubernetes protobuf: {why}")
