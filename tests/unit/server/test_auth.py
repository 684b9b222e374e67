"""Tokens: the file, and what counts when several things say who asks."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.errors import Unauthorized
from apiserver.server.http.auth import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, Authenticator, User, read_token_file
from apiserver.server.http.peers import Peer

TOKEN = "0123456789abcdef"
ANN = Peer("ann", (), 100.0)


def asking(tmp_path: Path, text: str) -> Authenticator:
    path = tmp_path / "tokens"
    path.write_text(text)
    return Authenticator(read_token_file(path), clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"{TOKEN},ann", User("ann", (AUTHENTICATED,))),
        (f"  {TOKEN} , ann , u1", User("ann", (AUTHENTICATED,), "u1")),
        (f'{TOKEN},ann,u1,"dev, ops,,dev"', User("ann", ("dev", "ops", AUTHENTICATED), "u1")),
        (f"{TOKEN},ann,,dev,ignored", User("ann", ("dev", AUTHENTICATED))),
        (f'"{TOKEN},x","ann, the first"', User("ann, the first", (AUTHENTICATED,))),
    ],
)
def test_a_line_is_read_as_in_kubernetes(tmp_path: Path, line: str, found: User) -> None:
    token = f"{TOKEN},x" if line.startswith('"') else TOKEN
    assert asking(tmp_path, f"# ours\n\n{line}\n").user("/apis", f"bearer {token}", None) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no tokens"),
        ("#x\n", "has no tokens"),
        ("short,ann", "line 1: write token,user"),
        (f"#\n{TOKEN},", "line 2: write token,user"),
        (f'{TOKEN},ann,u,"dev', "groups in quotes"),
        (f"{TOKEN},a\x1bnn", "printable"),
    ],
)
def test_a_line_that_is_none_is_named_and_its_token_is_not(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        asking(tmp_path, text)
    assert TOKEN not in str(caught.value)


def test_a_certificate_counts_before_a_token_and_a_token_before_a_certificate_of_nobody(tmp_path: Path) -> None:
    authenticator = asking(tmp_path, f"{TOKEN},bob")
    header = f"Bearer {TOKEN}"
    assert authenticator.user("/apis", header, ANN).name == "ann"
    assert authenticator.user("/apis", header, Peer("", (), 0.0, "names nobody")).name == "bob"
    assert authenticator.user("/apis", "Bearer wrong-wrong-wrong", ANN).name == "ann"
    for wrong in ("", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN):
        with pytest.raises(Unauthorized):
            authenticator.user("/apis", wrong, None)
    assert authenticator.user("/version", "", None) == User(ANONYMOUS, (UNAUTHENTICATED,))


@given(text=st.text(max_size=200))
def test_any_text_is_a_token_file_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any-tokens"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(ValueError):
        read_token_file(path)
