"""The development certificate: for the address asked for, kept while it serves, its key private."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from cryptography import x509

from app.config import TlsSettings
from app.selfsigned import certificate_for, lan_address
from app.serving import server_tls


def test_it_names_the_address_and_localhost(tmp_path: Path) -> None:
    certificate, key = certificate_for("192.0.2.7", tmp_path)
    names = (
        x509.load_pem_x509_certificate(certificate.read_bytes())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert ipaddress.ip_address("192.0.2.7") in names.get_values_for_type(x509.IPAddress)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert server_tls(TlsSettings(certificate, key)) is not None


def test_it_is_kept_until_the_address_changes(tmp_path: Path) -> None:
    first = certificate_for("192.0.2.7", tmp_path)[0].read_bytes()
    assert certificate_for("192.0.2.7", tmp_path)[0].read_bytes() == first
    assert certificate_for("192.0.2.8", tmp_path)[0].read_bytes() != first


def test_this_machine_has_an_address() -> None:
    assert ipaddress.ip_address(lan_address()).version == 4
