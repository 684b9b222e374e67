"""Tokens and certificates in files: who asks, also after they have been replaced."""

import base64
import os
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from apiserver.client.config import Config, ConfigError, Tls
from apiserver.client.credentials import LOOK_SECONDS, Credentials, credentials, with_files
from apiserver.client.kubeconfig import load, write_kubeconfig
from apiserver.client.trust import read_again, trust
from plumctl.authority import PairFiles
from plumctl.certificates import Wanted
from tests.certificates import TestAuthority

HTTPS = "https://plum:1"


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    return TestAuthority(tmp_path / "tls")


class Wire:
    """What was sent, and a clock."""

    def __init__(self, config: Config) -> None:
        self.now, self.code = 0.0, 200
        self.sent: list[httpx.Request] = []
        self.auth = Credentials(config, monotonic=lambda: self.now)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return httpx.Response(self.code)

    def token(self) -> str:
        """What the next request sends."""
        with httpx.Client(transport=httpx.MockTransport(self._answer), auth=self.auth, trust_env=False) as client:
            client.get("http://plum:1/")
        return str(self.sent[-1].headers.get("authorization", ""))


def replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def test_a_replaced_token_is_sent_and_a_lost_one_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    wire = Wire(with_files(Config("http://plum:1"), token_file=path, ca_file=None, cert=None, key=None))
    assert wire.token() == "Bearer first"
    replace(path, "second\n")
    assert wire.token() == "Bearer first", "not looked at with every request"
    wire.now += LOOK_SECONDS
    assert wire.token() == "Bearer second"
    for broken in ("", "\n", "a\nb", "ü"):
        replace(path, broken)
        wire.now += LOOK_SECONDS
        assert wire.token() == "Bearer second"
    path.unlink()
    wire.now += LOOK_SECONDS
    assert wire.token() == "Bearer second"
    replace(path, "third")
    wire.now += LOOK_SECONDS
    assert wire.token() == "Bearer third"


def test_a_refusal_is_a_reason_to_look_at_once(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    wire = Wire(Config("http://plum:1", "first", token_file=path))
    replace(path, "second")
    wire.code = 401
    assert [wire.token(), wire.token()] == ["Bearer first", "Bearer second"]


def test_the_other_name_of_a_server_is_asked_for() -> None:
    wire = Wire(Config(HTTPS, tls=Tls(insecure=True, server_name="plum.example")))
    wire.token()
    assert wire.sent[0].extensions["sni_hostname"] == "plum.example"
    assert credentials(Config(HTTPS, "token")) is None


@pytest.mark.parametrize(
    ("names", "server", "message"),
    [
        ({"cert": "c"}, HTTPS, "--client-cert is given without --client-key"),
        ({"key": "c"}, HTTPS, "--client-key is given without --client-cert"),
        ({"ca_file": "none"}, HTTPS, "certificate authority none: No such file"),
        ({"cert": "none", "key": "none"}, HTTPS, "client certificate none, client key none: No such file"),
        ({"token_file": "none"}, HTTPS, "--token-file none: No such file"),
        ({"ca_file": "ca"}, "http://plum:1", "are for https"),
    ],
)
def test_flags_that_cannot_be_used_are_named(names: dict[str, str], server: str, message: str) -> None:
    given: dict[str, Any] = {"token_file": None, "ca_file": None, "cert": None, "key": None}
    with pytest.raises(ConfigError, match=message):
        with_files(Config(server), **given | {flag: Path(name) for flag, name in names.items()})


def test_a_scheme_in_capitals_is_https_too(authority: TestAuthority) -> None:
    found = with_files(Config("HTTPS://plum:1"), token_file=None, ca_file=authority.file, cert=None, key=None)
    assert found.tls == Tls(authority.file)


def test_files_that_are_no_certificates_are_named(authority: TestAuthority) -> None:
    one, other = authority.client("one"), authority.client("other")
    for tls, message in (
        (Tls(ca=one.key), "no certificates in PEM form"),
        (Tls(ca=b"x"), "no certificates in PEM form"),
        (Tls(authority.file, one.certificate, other.key), "do not belong together"),
        (Tls(authority.file, one.certificate, authority.file), "cannot be read as PEM"),
        (Tls(authority.file, one.certificate), "without its key"),
    ):
        with pytest.raises(ConfigError, match=message):
            trust(HTTPS, tls)


def test_own_authorities_are_the_only_ones(authority: TestAuthority) -> None:
    context = trust(HTTPS, Tls(authority.file))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1
    assert trust(HTTPS, Tls(authority.file)) is context
    assert trust(HTTPS, Tls(server_name="x")) is trust(HTTPS)
    insecure = trust(HTTPS, Tls(insecure=True))
    assert (insecure.verify_mode, insecure.check_hostname) == (ssl.CERT_NONE, False)


def test_a_context_survives_half_a_replaced_pair(authority: TestAuthority) -> None:
    files = authority.client("me")
    tls = Tls(authority.file, files.certificate, files.key)
    trust(HTTPS, tls)
    new = authority.pair(Wanted("me"))
    files.certificate.write_bytes(new.certificate)
    with pytest.raises(ConfigError, match="do not belong together"):
        read_again(tls)
    files.key.write_bytes(new.key)
    read_again(tls)


def pem(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def test_a_kubeconfig_has_certificates_as_files_beside_it_or_as_data(authority: TestAuthority) -> None:
    me = authority.client("me")
    path = authority.folder / "config"

    def read(cluster: dict[str, Any], user: dict[str, Any]) -> Tls:
        document = {
            "clusters": [{"name": "k", "cluster": {"server": HTTPS} | cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "current-context": "c",
        }
        path.write_text(yaml.safe_dump(document))
        return load({}, kubeconfig=str(path)).tls

    pair = {"client-certificate": me.certificate.name, "client-key": me.key.name}
    assert read({"certificate-authority": "ca.crt"}, pair) == Tls(authority.file, me.certificate, me.key)
    data = {"client-certificate-data": pem(me.certificate), "client-key-data": pem(me.key)}
    inline = Tls(authority.file.read_bytes(), me.certificate.read_bytes(), me.key.read_bytes())
    assert read({"certificate-authority-data": pem(authority.file), "certificate-authority": "none"}, data) == inline
    assert read({"insecure-skip-tls-verify": True, "tls-server-name": "x"}, {}) == Tls(insecure=True, server_name="x")
    assert "PRIVATE" not in repr(inline)


def test_the_environment_overrides(authority: TestAuthority) -> None:
    me: PairFiles = authority.client("me")
    environ = {
        "PLUM_CA_FILE": str(authority.file),
        "PLUM_CLIENT_CERT": str(me.certificate),
        "PLUM_CLIENT_KEY": str(me.key),
    }
    assert load(environ, server=HTTPS).tls == Tls(authority.file, me.certificate, me.key)


def test_a_written_kubeconfig_stands_alone(authority: TestAuthority, tmp_path: Path) -> None:
    me = authority.client("me")
    write_kubeconfig(tmp_path / "k", HTTPS, user="me", tls=Tls(authority.file, me.certificate, me.key))
    found = load({}, kubeconfig=str(tmp_path / "k"))
    assert found.tls == Tls(authority.file.read_bytes(), me.certificate.read_bytes(), me.key.read_bytes())
