"""Protobuf bodies: whatever is written is read, and whatever else comes is refused in order."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.errors import ApiError, BadRequest, UnsupportedMediaType
from apiserver.server.http.protobuf import MAGIC, MAX_FIELDS, read_protobuf

# What kubectl 1.32 sends: can-i get tasks.plum.dev/x, can-i get /healthz, can-i --list, whoami, create namespace.
CAN_I = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373"
    "52657669657712470a100a0012001a0022002a0032003800420012290a270a0764656661756c7412036765741a0022002a0e"
    "7461736b732e706c756d2e64657632003a01781a08080012001a0020001a002200"
)
CAN_I_PATH = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373"
    "526576696577122f0a100a0012001a0022002a003200380042001211120f0a082f6865616c74687a12036765741a08080012"
    "001a0020001a002200"
)
CAN_I_LIST = bytes.fromhex(
    "6b3873000a310a17617574686f72697a6174696f6e2e6b38732e696f2f7631121653656c665375626a65637452756c657352"
    "657669657712230a100a0012001a0022002a0032003800420012090a0764656661756c741a04180022001a002200"
)
WHO_AM_I = bytes.fromhex(
    "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a6563745265766965"
    "77121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200"
)
CREATE_NAMESPACE = bytes.fromhex(
    "6b3873000a0f0a02763112094e616d657370616365121c0a140a046d61646512001a0022002a0032003800420012001a020a001a002200"
)


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def part(number: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + part(1, part(1, api_version) + part(2, kind)) + part(2, raw) + part(3, "") + part(4, "")


def access(raw: bytes) -> bytes:
    return body("authorization.k8s.io/v1", "SelfSubjectAccessReview", raw)


texts = st.text(max_size=20)
maps = st.dictionaries(texts, texts, max_size=5)


def pairs(number: int, found: dict[str, str]) -> bytes:
    return b"".join(part(number, part(1, key) + part(2, value)) for key, value in found.items())


@given(texts, texts, maps, maps, st.lists(texts, max_size=3))
def test_a_namespace_is_read_as_it_was_written(
    name: str, generate: str, labels: dict[str, str], annotations: dict[str, str], finalizers: list[str]
) -> None:
    metadata = part(1, name) + part(2, generate) + part(4, "") + varint(7 << 3) + varint(2**64 - 1) + part(8, b"")
    metadata += pairs(11, labels) + pairs(12, annotations)
    spec = b"".join(part(1, one) for one in finalizers)
    found = read_protobuf(body("v1", "Namespace", part(1, metadata) + part(2, spec) + part(3, part(1, "Active"))))

    wanted = {"name": name, "generateName": generate, "labels": labels, "annotations": annotations}
    assert found == _filled(
        apiVersion="v1", kind="Namespace", metadata=_filled(**wanted), spec=_filled(finalizers=finalizers)
    )


def _filled(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def test_what_kubectl_sends_is_read() -> None:
    asked = {"namespace": "default", "verb": "get", "resource": "tasks.plum.dev", "name": "x"}
    assert read_protobuf(CAN_I)["spec"] == {"resourceAttributes": asked}
    assert read_protobuf(CAN_I_PATH)["spec"] == {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}
    assert read_protobuf(CAN_I_LIST)["spec"] == {"namespace": "default"}
    assert read_protobuf(WHO_AM_I) == {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    assert read_protobuf(CREATE_NAMESPACE) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "made"}}


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    for given_body in (raw, MAGIC + raw, access(raw), access(part(2, part(1, raw)))):
        with suppress(BadRequest, UnsupportedMediaType):
            read_protobuf(given_body)


@given(st.integers(0, 200))
def test_a_body_that_was_cut_is_refused_or_holds_less(end: int) -> None:
    whole = access(part(2, part(1, part(1, "default") + part(2, "get"))))
    with suppress(ApiError):
        assert read_protobuf(whole[:end])["kind"] == "SelfSubjectAccessReview"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{}", "does not begin with k8s"),
        (MAGIC + b"\x80", "ends within a number"),
        (MAGIC + b"\xff" * 11, "more than 64 bits"),
        (MAGIC + b"\x0a\x7f", "ends within a field"),
        (MAGIC + b"\x00", "number 0"),
        (MAGIC + b"\x0b", "wire type 3"),
        (access(part(2, part(1, part(2, b"\xff")))), "verb is not UTF-8"),
        (access((varint(9 << 3) + varint(1)) * MAX_FIELDS), "more than 10000 fields"),
        (access(part(2, varint(1 << 3) + varint(7))), "resourceAttributes is not of its type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(raw: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_protobuf(raw)


def test_other_types_and_encoded_ones_are_to_be_sent_as_json() -> None:
    with pytest.raises(UnsupportedMediaType, match=r"apps/v1 Deployment\) - accepted .* application/json"):
        read_protobuf(body("apps/v1", "Deployment", b""))
    with pytest.raises(UnsupportedMediaType, match="content encoding"):
        read_protobuf(MAGIC + part(3, "gzip"))


def test_messages_that_come_twice_are_merged() -> None:
    twice = part(2, part(1, part(1, "default"))) + part(2, part(1, part(2, "get")))
    found = read_protobuf(access(twice))
    assert found["spec"] == {"resourceAttributes": {"namespace": "default", "verb": "get"}}
