"""What docs/tls.md promises is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.__main__ import main as agent
from apiserver.client.credentials import LOOK_SECONDS as CLIENT_SECONDS
from apiserver.client.kubeconfig import _CLUSTER_KEYS, _USER_KEYS
from apiserver.server.__main__ import main as apiserver
from apiserver.server.http.auth import MIN_TOKEN, OPEN_PATHS, read_token_file
from apiserver.server.http.peers import MAX_GROUPS, MAX_NAME
from apiserver.server.listening import HANDSHAKE_SECONDS
from apiserver.server.replaced_files import LOOK_SECONDS as SERVER_SECONDS
from controllers.__main__ import main as controllers
from plumctl.certificates import RENEW_DAYS
from plumctl.secured import Secured
from plumctl.up import up

TEXT = Path("docs/tls.md").read_text(encoding="utf-8")
PROGRAMS = {"plum-apiserver": apiserver, "plum-agent": agent, "plum-controllers": controllers}


def test_flags_are_those_of_the_programs() -> None:
    rows = re.findall(r"^\| (`plum-[^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 2
    for programs, cell in rows:
        for name in re.findall(r"`(plum-\w+)`", programs):
            taken = {flag for option in PROGRAMS[name].params for flag in option.opts}
            assert {*re.findall(r"`(--[a-z-]+)`", cell)} <= taken
    assert {"--tls", "--tls-san"} <= {flag for option in up.params for flag in option.opts}


def test_numbers_and_names_are_as_they_are() -> None:
    assert f"server every {SERVER_SECONDS:g} seconds, the others every {CLIENT_SECONDS:g} seconds" in TEXT
    assert f"longer than {MAX_NAME} characters, or with more than {MAX_GROUPS:,} groups" in TEXT
    assert f"at least {MIN_TOKEN} characters" in TEXT
    assert f"less than {RENEW_DAYS} days left" in TEXT
    assert f"A handshake may take {HANDSHAKE_SECONDS:g} seconds" in TEXT
    assert all(f"`{path}`" in TEXT for path in OPEN_PATHS)
    keys = {key.removesuffix("-data") for key in _CLUSTER_KEYS | _USER_KEYS} - {"server", "extensions"}
    assert [key for key in sorted(keys) if f"`{key}`" not in TEXT] == []


def test_the_token_file_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "tokens").write_text(block)
    user = read_token_file(tmp_path / "tokens").user("Bearer 3c1f0b2e9a7d4865")
    assert user is not None
    assert (user.name, user.groups[:2]) == ("ann", ("dev", "ops"))


def test_files_are_those_that_are_kept(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    Secured(tmp_path, "127.0.0.1", ["NAME"], (), clock=lambda: datetime.now(UTC))
    named = {*re.findall(r"`([\w-]+\.(?:crt|key))`", TEXT.partition("All are ECDSA")[0])}
    assert named == {path.name for path in (tmp_path / "tls").iterdir()}


@pytest.mark.skipif(not shutil.which("openssl") or not shutil.which("bash"), reason="needs openssl and bash")
def test_the_commands_make_a_certificate_that_counts(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    secured = Secured(tmp_path / "plum-data", "127.0.0.1", [], (), clock=lambda: datetime.now(UTC))
    commands = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)[0]
    subprocess.run(["bash", "-ec", commands], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    check = ["openssl", "verify", "-purpose", "sslclient", "-CAfile", secured.server_flags[-1], "ann.crt"]
    assert subprocess.run(check, cwd=tmp_path, check=True, capture_output=True, timeout=30).stdout == b"ann.crt: OK\n"
