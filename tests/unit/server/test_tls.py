"""Files of the server's TLS: refused by name, and replaced while it runs."""

import logging
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from apiserver.server.replaced_files import ReplacedFiles
from apiserver.server.serve import CannotServe, Settings, check_exposure
from apiserver.server.tls import NewestContext, TlsFiles
from tests.certificates import TestAuthority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("tls"))


def refused(**files: Path | None) -> str:
    with pytest.raises(CannotServe) as caught:
        check_exposure(Settings(Path("d"), "127.0.0.1", 0, **files))  # type: ignore[arg-type]
    return str(caught.value)


def test_what_cannot_be_used_is_named_by_flag_and_file(authority: TestAuthority, tmp_path: Path) -> None:
    server, other = authority.server(), authority.server("other")
    cert, key = server.certificate, server.key
    text = tmp_path / "text"
    text.write_text("no PEM ü")
    none = tmp_path / "none"
    assert refused(tls_cert=cert) == "--tls-cert is given without --tls-key: give both"
    assert refused(tls_key=key) == "--tls-key is given without --tls-cert: give both"
    assert "client certificates need TLS" in refused(client_ca=cert)
    assert refused(tls_cert=none, tls_key=key) == f"--tls-cert {none}: No such file or directory"
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:x", "-out", str(locked)]
    if shutil.which("openssl"):
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert "the key without password" in refused(tls_cert=cert, tls_key=locked)
    assert refused(tls_cert=cert, tls_key=none) == f"--tls-key {none}: No such file or directory"
    assert "do not belong together" in refused(tls_cert=cert, tls_key=other.key)
    assert "cannot be read: give PEM" in refused(tls_cert=text, tls_key=key)
    assert "cannot be read: give PEM" in refused(tls_cert=cert, tls_key=text)
    for wrong, problem in ((text, "holds no certificates"), (key, "holds no certificates"), (none, "No such file")):
        assert f"--client-ca {wrong}: {problem}" in refused(tls_cert=cert, tls_key=key, client_ca=wrong)


def test_who_is_let_in(authority: TestAuthority) -> None:
    server = authority.server()
    secured = {"tls_cert": server.certificate, "tls_key": server.key}
    with pytest.raises(CannotServe, match="open to other machines: give --token-file or --client-ca"):
        check_exposure(Settings(Path("d"), "0.0.0.0", 0, **secured))  # type: ignore[arg-type]
    asking = check_exposure(Settings(Path("d"), "0.0.0.0", 0, client_ca=authority.file, **secured))  # type: ignore[arg-type]
    assert asking.authenticator is not None
    open_to_all = check_exposure(Settings(Path("d"), "127.0.0.1", 0, **secured))  # type: ignore[arg-type]
    assert open_to_all.authenticator is None
    assert open_to_all.context is not None


def test_a_context_takes_nothing_old(authority: TestAuthority) -> None:
    server = authority.server()
    context = NewestContext.of(TlsFiles(server.certificate, server.key, authority.file))
    assert context.newest.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.newest.verify_mode is ssl.CERT_OPTIONAL
    assert context.newest.num_tickets == 0


def test_replaced_files_count_once_they_are_whole(
    authority: TestAuthority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = authority.server("replaced")
    context = NewestContext.of(TlsFiles(server.certificate, server.key))
    watched = ReplacedFiles("certificates", (server.certificate, server.key), context.renew)
    watched.look()
    first = context.newest
    watched.look()
    assert context.newest is first
    new = authority.server("new")
    server.certificate.write_bytes(new.certificate.read_bytes())
    with caplog.at_level(logging.WARNING):
        watched.look()
        watched.look()
    assert context.newest is first, "half of a pair is no reason to stop serving"
    assert [record.getMessage().count("do not belong together") for record in caplog.records] == [1]
    server.key.write_bytes(new.key.read_bytes())
    watched.look()
    assert context.newest is not first
    server.key.unlink()
    watched.look()
    second = context.newest
    server.key.write_bytes(new.key.read_bytes())
    watched.look()
    assert context.newest is not second
