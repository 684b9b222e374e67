from collections.abc import AsyncIterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import Expired, Forbidden
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Body
from apiserver.client.frames import decode_frame, read_lines


async def chunks(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@settings(max_examples=50, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b" "))),
    rest=st.binary(max_size=5).map(lambda raw: raw.replace(b"\n", b" ")),
    sizes=st.lists(st.integers(1, 30)),
)
async def test_lines_do_not_depend_on_how_they_are_cut(lines: list[bytes], rest: bytes, sizes: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines) + rest
    parts = []
    for size in sizes:
        parts.append(stream[:size])
        stream = stream[size:]
    found = [line async for line in read_lines(chunks([*parts, stream]))]
    assert found == lines


async def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(Expired, match="longer than 10 bytes"):
        async for _ in read_lines(chunks([b"x" * 6] * 3), limit=10):
            pass


def frame(event_type: str, body: Body) -> bytes:
    return orjson.dumps({"type": event_type, "object": body})


def node(**fields: object) -> Body:
    return {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n", "resourceVersion": "7"}, **fields}


def test_an_event_carries_its_version() -> None:
    event = decode_frame(Node, frame("ADDED", node()))
    assert event
    assert event.object
    assert (event.type, event.resource_version, event.object.metadata.name) == ("ADDED", "7", "n")


def test_a_blank_line_keeps_the_connection_alive_and_says_nothing() -> None:
    assert decode_frame(Node, b" ") is None


def test_an_object_that_cannot_be_read_is_skipped() -> None:
    event = decode_frame(Node, frame("MODIFIED", node(spec=[])))
    assert event
    assert (event.type, event.resource_version, event.object) == ("BOOKMARK", "7", None)


def test_a_deleted_object_that_cannot_be_read_asks_for_a_new_list() -> None:
    with pytest.raises(Expired):
        decode_frame(Node, frame("DELETED", node(spec=[])))


def test_an_error_frame_is_raised() -> None:
    with pytest.raises(Forbidden, match="no"):
        decode_frame(Node, frame("ERROR", Forbidden("no").to_status()))


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=30),
        st.recursive(
            st.none() | st.integers(-9, 9) | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["type", "object", "metadata", "resourceVersion"]), inner, max_size=4)
            ),
            max_leaves=8,
        ).map(orjson.dumps),
    )
)
def test_whatever_comes_is_an_event_or_asks_for_a_new_list(line: bytes) -> None:
    try:
        event = decode_frame(Node, line)
    except Expired:
        return
    assert event is None or event.resource_version.isdecimal()
