"""Certificates on disk: made once, kept, and made anew when they are broken or come to their end."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plumctl.authority import Certificates, server_names
from plumctl.certificates import AUTHORITY_DAYS, LEAF_DAYS, RENEW_DAYS, Wanted, usable_names
from plumctl.secured import Secured

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
SERVER = Wanted("server", names=("localhost", "127.0.0.1", "::1"))
ANN = Wanted("ann", ("dev", "ops"))


class World:
    """A folder and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, BEGIN

    def certificates(self) -> Certificates:
        return Certificates(self.folder, clock=lambda: self.now)

    def make(self) -> dict[str, bytes]:
        """What is in the files after a start."""
        certificates = self.certificates()
        certificates.pair("server", SERVER)
        certificates.pair("ann", ANN)
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "tls")


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


LEAVES = {"server.crt", "server.key", "ann.crt", "ann.key"}
ALL = LEAVES | {"ca.crt", "ca.key"}


def test_a_second_start_changes_nothing_and_keys_are_private(world: World) -> None:
    first = world.make()
    assert {*first} == ALL
    (world.folder / "ann.key").chmod(0o644)
    assert world.make() == first
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in world.folder.iterdir()}
    assert {modes[name] for name in ("ca.key", "server.key", "ann.key")} == {0o600}
    assert stat.S_IMODE(world.folder.stat().st_mode) == 0o700


def test_certificates_say_what_they_are_for(world: World) -> None:
    files = world.make()
    server, ann, ca = (x509.load_pem_x509_certificate(files[f"{name}.crt"]) for name in ("server", "ann", "ca"))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [*map(str, names.get_values_for_type(x509.IPAddress))] == ["127.0.0.1", "::1"]
    for one, purpose in ((server, ExtendedKeyUsageOID.SERVER_AUTH), (ann, ExtendedKeyUsageOID.CLIENT_AUTH)):
        assert [*one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [purpose]
        assert one.not_valid_after_utc == BEGIN + timedelta(days=LEAF_DAYS)
    assert [a.value for a in ann.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["ann"]
    assert [a.value for a in ann.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["dev", "ops"]
    assert ca.not_valid_after_utc == BEGIN + timedelta(days=AUTHORITY_DAYS)


def test_leaves_are_renewed_two_months_before_their_end(world: World) -> None:
    first = world.make()
    world.now += timedelta(days=LEAF_DAYS - RENEW_DAYS)
    assert world.make() == first
    world.now += timedelta(seconds=1)
    second = world.make()
    assert changed(first, second) == LEAVES


def test_the_authority_goes_last_and_takes_everything_with_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.make()
    world.now += timedelta(days=AUTHORITY_DAYS - RENEW_DAYS)
    before = world.make()
    world.now += timedelta(days=1)
    assert changed(before, world.make()) == ALL
    assert "comes to its end; what it issued is void now" in capsys.readouterr().err


def test_other_names_and_groups_give_a_new_leaf_of_the_same_authority(world: World) -> None:
    first = world.make()
    certificates = world.certificates()
    certificates.pair("server", Wanted("server", names=("localhost",)))
    assert world.make() == first, "fewer names are no reason"
    certificates.pair("server", Wanted("server", names=("localhost", "10.0.0.1")))
    certificates.pair("ann", Wanted("ann", ("dev",)))
    second = {path.name: path.read_bytes() for path in world.folder.iterdir()}
    assert changed(first, second) == LEAVES


def damages() -> Iterator[tuple[str, bytes | None, set[str]]]:
    for name in sorted(ALL):
        stem = name.partition(".")[0]
        for content in (b"", b"-----BEGIN", None):
            yield name, content, ALL if stem == "ca" else {f"{stem}.crt", f"{stem}.key"}


@pytest.mark.parametrize(("name", "content", "made"), [*damages()])
def test_what_a_kill_left_half_written_is_made_anew(
    world: World, name: str, content: bytes | None, made: set[str]
) -> None:
    first = world.make()
    (world.folder / ".new-left").write_bytes(b"half")
    if content is None:
        (world.folder / name).unlink()
    else:
        (world.folder / name).write_bytes(content)
    second = world.make()
    assert changed(first, second) == made
    assert {*second} == ALL
    assert world.make() == second


def test_a_certificate_that_says_nothing_of_authority_is_made_anew(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    first = world.make()
    key = serialization.load_pem_private_key(first["ca.key"], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plain")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(BEGIN).not_valid_after(BEGIN + timedelta(days=900))
    plain = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (world.folder / "ca.crt").write_bytes(plain)
    assert changed(first, world.make()) == ALL
    assert "not an authority's" in capsys.readouterr().err


class Killed(BaseException):
    """No except clause of ours is for it."""


@pytest.mark.parametrize("moment", range(6))
def test_a_kill_between_two_files_is_mended(world: World, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    done: list[str] = []

    def replace(source: str, target: Path) -> None:
        if len(done) == moment:
            raise Killed
        done.append(target.name)
        os.rename(source, target)

    for _ in range(2):  # a first start, and a renewal
        done.clear()
        with monkeypatch.context() as patched:
            patched.setattr("apiserver.client.replacing.os.replace", replace)
            with pytest.raises(Killed):
                world.make()
        whole = world.make()
        assert {*whole} == ALL
        assert world.make() == whole
        world.now += timedelta(days=AUTHORITY_DAYS)


def test_a_pair_of_another_authority_is_no_good(world: World, tmp_path: Path) -> None:
    first = world.make()
    World(tmp_path / "other").make()
    for name in LEAVES:
        os.replace(tmp_path / "other" / name, world.folder / name)
    assert changed(first, world.make()) == LEAVES
    (world.folder / "ca.key").write_bytes((world.folder / "ann.key").read_bytes())
    (world.folder / "ca.crt").write_bytes((world.folder / "ann.crt").read_bytes())
    assert changed(first, world.make()) == ALL, "a leaf is no authority"


def test_the_names_of_a_server() -> None:
    assert {"localhost", "127.0.0.1", "::1"} <= {*server_names("127.0.0.1")}
    assert "10.1.2.3" in server_names("10.1.2.3")
    everywhere = server_names("0.0.0.0", ("plum.example",))
    assert "plum.example" in everywhere
    assert not {"0.0.0.0", ""} & {*everywhere}
    assert usable_names(["A", "a", "fe80::1%eth0", "ü", "", "b c"]) == ["a"]


def test_everybody_in_an_up_has_a_certificate_of_their_own(tmp_path: Path) -> None:
    secured = Secured(tmp_path, "127.0.0.1", ["nodeA"], (), clock=lambda: BEGIN)
    flags = secured.flags("node-nodeA")
    certificate = x509.load_pem_x509_certificate(Path(flags[flags.index("--client-cert") + 1]).read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=system:node:nodeA,O=system:nodes"
    assert flags[-2:] == ["--ca-file", secured.server_flags[-1]]
    assert "PRIVATE" not in repr(secured.admin)
