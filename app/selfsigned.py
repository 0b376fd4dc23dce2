"""A certificate of one's own: a phone in the same network needs a secure context to open its camera."""

from __future__ import annotations

import ipaddress
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=180)
RENEW_BEFORE = timedelta(days=7)
#: A documentation address (RFC 5737): nothing is sent there, it only selects the outgoing interface.
_ELSEWHERE = ("192.0.2.1", 9)


def lan_address() -> str:
    """The address under which this machine is seen by its neighbours; 127.0.0.1 without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def certificate_for(address: str, folder: Path) -> tuple[Path, Path]:
    """Certificate and key (PEM files in `folder`) for `address` and localhost, made anew where needed."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (certificate.exists() and key.exists() and _serves(certificate.read_bytes(), address)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(address, certificate, key)
    return certificate, key


def _serves(pem: bytes, address: str) -> bool:
    found = x509.load_pem_x509_certificate(pem)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    good = found.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC)
    return good and ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)


def _make(address: str, certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kaika development")])
    now = datetime.now(UTC)
    addresses = {ipaddress.ip_address(address), ipaddress.ip_address("127.0.0.1")}
    names = [x509.DNSName("localhost"), *(x509.IPAddress(each) for each in sorted(addresses, key=str))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key.touch(mode=0o600)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
