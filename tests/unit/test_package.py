"""What ``meta.ini`` says, and where in an archive the app is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.kinds.app import AppService
from apiserver.api.package import Meta, NotAnApp, find_root, read_meta

ORDERS = AppService(name="orders", protocol="http", port=8080)
INVENTORY = AppService(name="inventory", protocol="http", port=9090)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name=a\nversion=1", Meta("a", "1")),
        ("# c\n; c\n[app]\n name : a b \nversion = 1=2:3\nname=later", Meta("a b", "1=2:3")),
        ("# c\n; d\n[app]\nname=a: b\nversion : 2=3\n", Meta("a: b", "2=3")),
        (
            "name=a\nversion=1\nservice=orders:http:8080\nservice: inventory : http : 9090\nservice=orders:http:8080",
            Meta("a", "1", (ORDERS, INVENTORY)),
        ),
    ],
)
def test_lines(text: str, found: Meta) -> None:
    assert read_meta(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "says no name; add a line"),
        ("name=\nversion=1", "says no name"),
        ("version=1", "says no name"),
        ("name=a", "says no version"),
        ("=a\nname", "says no name"),
        (f"name={'a' * 129}\nversion=1", "longer than 128"),
        ("name=a/b\nversion=1", "slash"),
        ("name=a\nversion=1\nservice=orders", "service=orders is not name:protocol:port"),
        ("name=a\nversion=1\nservice=orders:http:0", "not name:protocol:port"),
        ("name=a\nversion=1\nservice=orders:http:65536", "not name:protocol:port"),
        ("name=a\nversion=1\nservice=:http:80", "not name:protocol:port"),
        ("name=a\nversion=1\n" + "".join(f"service=s{n}:http:80\n" for n in range(33)), "33 services"),
    ],
)
def test_refusals_name_the_line(text: str, message: str) -> None:
    with pytest.raises(NotAnApp, match=message):
        read_meta(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_meta(text)
    except NotAnApp:
        return
    assert found.name
    assert found.version


@pytest.mark.parametrize(
    ("names", "root"),
    [
        (["meta.ini", "start.sh", "lib/x"], ""),
        (["app/", "app/meta.ini", "app/start.sh"], "app/"),
    ],
)
def test_root(names: list[str], root: str) -> None:
    assert find_root(names) == root


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"no start\.sh and meta\.ini"),
        (["meta.ini"], r"no start\.sh"),
        (["a/meta.ini", "b/start.sh"], r"no start\.sh and meta\.ini"),
        (["a/meta.ini", "a/start.sh", "b"], r"no start\.sh and meta\.ini"),
    ],
)
def test_no_root(names: list[str], message: str) -> None:
    with pytest.raises(NotAnApp, match=message):
        find_root(names)
