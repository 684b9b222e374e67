"""Certificates of a cluster's own: an authority, and what it issues. No files, no clock.

Keys are ECDSA over P-256: small, fast, and taken by every TLS library of the last ten years.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 365, 60
BACKDATED = timedelta(hours=1)
"""Certificates count from so long ago, for clocks that are behind."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in PEM form. The key is not shown."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        """Nothing: the key has no business in logs."""
        return "Pair()"


@dataclass(frozen=True)
class Wanted:
    """What a certificate is for: a server under these names and addresses, or a client who is this user."""

    user: str
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def subject(self) -> x509.Name:
        """The user as CN, the groups as O."""
        groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in self.groups]
        return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, self.user)])

    @property
    def alternatives(self) -> list[x509.GeneralName]:
        """The names of a server."""
        return [_general_name(name) for name in self.names]


def new_authority(now: datetime) -> Pair:
    """An authority that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Plum authority")])
    until = now + timedelta(days=AUTHORITY_DAYS)
    builder = _builder(subject, subject, key.public_key(), key.public_key(), since=now - BACKDATED, until=until)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_others=True), critical=True)
    return _pair(builder.sign(key, hashes.SHA256()), key)


class Authority:
    """An authority with its key."""

    def __init__(self, pair: Pair) -> None:
        """Raises ValueError for what is no authority with its key."""
        self.pair = pair
        self._certificate, self._key = _load(pair)
        if not _is_authority(self._certificate):
            raise ValueError("the certificate is not an authority's")

    def is_lasting(self, now: datetime) -> bool:
        """Whether it does not have to be renewed yet."""
        return _is_lasting(self._certificate, now)

    def issue(self, wanted: Wanted, now: datetime) -> Pair:
        """A new certificate, for at most as long as the authority itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = min(now + timedelta(days=LEAF_DAYS), self._certificate.not_valid_after_utc)
        issuer, signer = self._certificate.subject, self._key.public_key()
        builder = _builder(
            wanted.subject, issuer, key.public_key(), signer, since=now - BACKDATED, until=until
        ).add_extension(_usage(signs_others=False), critical=True)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if wanted.names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if wanted.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(wanted.alternatives), critical=False)
        return _pair(builder.sign(self._key, hashes.SHA256()), key)

    def is_good(self, pair: Pair, wanted: Wanted, now: datetime) -> bool:
        """Whether the pair is whole, ours, for what is wanted, and need not be renewed yet."""
        try:
            certificate, _ = _load(pair)
            certificate.verify_directly_issued_by(self._certificate)
            found = _alternatives(certificate)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        is_for_it = certificate.subject == wanted.subject and {*wanted.alternatives} <= found
        return is_for_it and _is_lasting(certificate, now)


def _load(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Raises ValueError for what is broken, or does not belong together."""
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    try:
        key = serialization.load_pem_private_key(pair.key, password=None)
    except TypeError as error:  # it has a password
        raise ValueError(str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("certificate and key do not belong together")
    return certificate, key


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _alternatives(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return {*certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value}
    except x509.ExtensionNotFound:
        return set()


def _is_lasting(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_after_utc - now >= timedelta(days=RENEW_DAYS)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey,
    *,
    since: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(identifier, critical=False)
    )


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(encoding, form, serialization.NoEncryption())
    return Pair(certificate.public_bytes(encoding), secret)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def usable_names(names: Iterable[str]) -> Sequence[str]:
    """Those that can be in a certificate, each once, in order: addresses without a zone, and names in ASCII."""
    kept = (name.lower() for name in names if name and "%" not in name and name.isascii() and " " not in name)
    return [*dict.fromkeys(kept)]
