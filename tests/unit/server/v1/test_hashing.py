"""Rendezvous hashing: equal keys go to the same endpoint, and few of them move."""

from collections import Counter

from apiserver.server.store.engine import Key, Seen
from apiserver.server.store.snapshot import Slot
from apiserver.server.v1.directory import EndpointView
from apiserver.server.v1.discovery import by_hash
from apiserver.server.v1.shapes import EndpointShown

KEYS = [f"user-{number}" for number in range(2000)]


def endpoint(number: int) -> EndpointView:
    slot = Slot(Key("endpoints.plum.dev", "default", f"web-{number}"), number, b"", Seen({}, {}))
    shown: EndpointShown = {
        "serviceName": "web",
        "instanceId": "",
        "nodeId": "nodeA",
        "ip": "10.0.0.1",
        "port": number,
        "protocol": "http",
        "version": "",
        "labels": {},
        "healthy": True,
        "lastSeen": 0,
    }
    return EndpointView(slot, shown, "", b"")


def chosen(found: list[EndpointView], key: str) -> int:
    return by_hash(found, key).shown["port"]


def test_keys_are_spread_and_stay_when_others_leave() -> None:
    all_of_them = [endpoint(number) for number in range(10)]
    before = {key: chosen(all_of_them, key) for key in KEYS}
    shares = Counter(before.values())
    assert len(shares) == 10
    assert max(shares.values()) < 2 * min(shares.values())
    left = [one for one in reversed(all_of_them) if one.shown["port"] != 3]
    after = {key: chosen(left, key) for key in KEYS}
    assert all(after[key] == before[key] for key in KEYS if before[key] != 3)
    assert len({after[key] for key in KEYS if before[key] == 3}) == 9


def test_any_text_is_a_key() -> None:
    assert chosen([endpoint(1)], "\ud800") == 1
