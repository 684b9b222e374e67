import contextlib
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apiserver.client.config import Config, ConfigError
from apiserver.client.credentials import checked
from apiserver.client.kubeconfig import _CLUSTER_KEYS, _USER_KEYS, from_documents, load, write_kubeconfig


def kubeconfig(path: Path, **changes: Any) -> Path:
    document: dict[str, Any] = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "team"}}],
        "clusters": [{"name": "k", "cluster": {"server": "http://kube:1/"}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    path.write_text(yaml.safe_dump(document | changes))
    return path


def test_an_address_wins_over_files(tmp_path: Path) -> None:
    path = str(kubeconfig(tmp_path / "config"))
    assert load({"KUBECONFIG": path, "PLUM_SERVER": "http://env:1"}, server="http://flag:1") == Config("http://flag:1")
    assert load({"KUBECONFIG": path, "PLUM_SERVER": "env:1", "PLUM_TOKEN": "t"}) == Config("http://env:1", "t")


def test_the_current_context_is_read(tmp_path: Path) -> None:
    path = str(kubeconfig(tmp_path / "config"))
    expected = Config("http://kube:1", "secret", "team")
    assert load({"KUBECONFIG": path}) == expected
    assert load({"KUBECONFIG": "/elsewhere"}, kubeconfig=path) == expected
    assert load({"KUBECONFIG": path, "PLUM_TOKEN": "other"}).token == "other"


def test_several_files_are_one_and_the_first_wins(tmp_path: Path) -> None:
    first = kubeconfig(tmp_path / "first", clusters=[], users=[])
    second = kubeconfig(tmp_path / "second", **{"current-context": "other"})
    assert load({"KUBECONFIG": f"{tmp_path}/missing:{first}:{second}"}).server == "http://kube:1"


def test_the_file_at_home_is_the_last_before_the_default(tmp_path: Path) -> None:
    assert load({"HOME": str(tmp_path)}) == Config("http://127.0.0.1:8080")
    (tmp_path / ".kube").mkdir()
    kubeconfig(tmp_path / ".kube" / "config")
    assert load({"HOME": str(tmp_path)}).server == "http://kube:1"


def test_a_token_file_is_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    path = kubeconfig(tmp_path / "config", users=[{"name": "u", "user": {"tokenFile": "token"}}])
    assert load({}, kubeconfig=str(path)).token == "from-file"


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(Config("http://h", "secret"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"current-context": ""}, "current-context is not set", id="no context chosen"),
        pytest.param({"current-context": "x"}, "there is no context 'x'", id="context missing"),
        pytest.param({"contexts": "x"}, "there is no context 'c'", id="contexts of the wrong type"),
        pytest.param({"clusters": []}, "there is no cluster 'k'", id="cluster missing"),
        pytest.param({"users": []}, "there is no user 'u'", id="user missing"),
        pytest.param({"clusters": [{"name": "k", "cluster": {}}]}, "server is missing", id="no server"),
        pytest.param({"clusters": [{"name": "k", "cluster": [1]}]}, "must be a mapping", id="cluster is a list"),
        pytest.param({"clusters": [{"name": "k", "cluster": {"server": "ftp://x"}}]}, "not an address", id="scheme"),
        pytest.param(
            {"clusters": [{"name": "k", "cluster": {"server": "https://x", "proxy-url": "http://p"}}]},
            r"cluster\.proxy-url is not supported",
            id="proxy",
        ),
        pytest.param(
            {"users": [{"name": "u", "user": {"exec": {"command": "x"}}}]}, r"user\.exec is not supported", id="exec"
        ),
        pytest.param({"users": [{"name": "u", "user": {"tokenFile": "none"}}]}, "tokenFile", id="no token file"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = kubeconfig(tmp_path / "config", **changes)
    with pytest.raises(ConfigError, match=message) as caught:
        load({}, kubeconfig=str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "a: [", "\0", "x" * 2_000_000, "[" * 5000], ids=len)
def test_what_is_no_kubeconfig_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(ConfigError, match="kubeconfig"):
        load({}, kubeconfig=str(path))


FIELDS = sorted(_CLUSTER_KEYS | _USER_KEYS)
SETTINGS = st.dictionaries(
    st.sampled_from(FIELDS),
    st.one_of(st.booleans(), st.integers(), st.text(max_size=20), st.sampled_from(["~x/y", "a\0b", "eA==", "."])),
    max_size=4,
)


@given(cluster=SETTINGS, user=SETTINGS, server=st.sampled_from(["https://kube:1", "http://kube:1"]))
def test_any_settings_are_understood_or_refused(cluster: dict[str, Any], user: dict[str, Any], server: str) -> None:
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": cluster | {"server": server}}],
        "users": [{"name": "u", "user": user}],
    }
    with contextlib.suppress(ConfigError):
        checked(from_documents([(Path("/nowhere/config"), document)]))


CLUSTER = {"server": "https://kube:1"}


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"certificate-authority-data": "%"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "eA=="}, {}, "no certificates in PEM form"),
        ({"certificate-authority-data": "/w=="}, {}, "no certificates in PEM form"),
        ({"certificate-authority": "missing"}, {}, "missing: No such file"),
        ({"certificate-authority": "x", "insecure-skip-tls-verify": True}, {}, "exclude each other"),
        ({"insecure-skip-tls-verify": "yes"}, {}, "must be true or false"),
        ({"tls-server-name": 1}, {}, "tls-server-name is missing or not a string"),
        ({}, {"client-certificate-data": "eA=="}, "one is there without the other"),
        ({}, {"client-key": "x"}, "one is there without the other"),
        ({"insecure-skip-tls-verify": True}, {"client-certificate": "none", "client-key": "none"}, "No such file"),
        ({"insecure-skip-tls-verify": True}, {"client-certificate-data": "eA==", "client-key-data": "eA=="}, "PEM"),
        ({}, {"token": "a\nb"}, r"user\.token: is no token"),
        ({}, {"tokenFile": "a\0b"}, "is no path"),
        ({"certificate-authority": "~nobody-of-that-name/x"}, {}, "is no path"),
        ({}, {"username": "ann", "password": "x"}, r"user\.password is not supported"),
    ],
)
def test_certificates_that_cannot_be_used_are_refused_by_name(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    path = kubeconfig(
        tmp_path / "config",
        clusters=[{"name": "k", "cluster": CLUSTER | cluster}],
        users=[{"name": "u", "user": user}],
    )
    with pytest.raises(ConfigError, match=message):
        load({}, kubeconfig=str(path))


def test_certificates_are_given_in_the_environment_in_pairs() -> None:
    with pytest.raises(ConfigError, match="set both"):
        load({"PLUM_CLIENT_CERT": "c"}, server="https://x")
    with pytest.raises(ConfigError, match=r"ca\.pem: No such file"):
        load({"PLUM_CA_FILE": "/nowhere/ca.pem"}, server="https://x")


def test_files_that_are_not_there_are_an_error() -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load({}, kubeconfig="/nowhere/config")
    with pytest.raises(ConfigError, match="/nowhere/config"):
        load({"KUBECONFIG": "/nowhere/config"})


@pytest.mark.parametrize("server", ["http://", "http://h:port", "http://h:99999", "http://u:p@h", "h h:1/?a=b", "::"])
def test_an_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(ConfigError, match="http://HOST:PORT"):
        load({}, server=server)


def test_a_written_kubeconfig_is_private_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kubeconfig"
    for server, token in (("http://127.0.0.1:1", ""), ("http://127.0.0.1:2", "secret")):
        write_kubeconfig(path, server, token)
        assert load({}, kubeconfig=str(path)) == Config(server, token)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["kubeconfig"]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
def test_kubectl_reads_a_written_kubeconfig(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1", "secret")
    command = ["kubectl", "--kubeconfig", str(tmp_path / "kubeconfig"), "config", "view", "-o", "jsonpath={..server}"]
    assert subprocess.run(command, check=True, capture_output=True, timeout=30).stdout == b"http://127.0.0.1:1"
