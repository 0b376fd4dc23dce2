"""The sealed annex: who the affected people are, readable by the holder of one certificate only.

CMS EnvelopedData (RFC 5652), AES-256 under the RSA key of the certificate; it opens with
`openssl cms -decrypt -inform DER -in annex.p7m -inkey key.pem`. Each order in it is an export in the order's
own trail (R9.1).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.ids import IncidentId, OrderId
from app.compliance.incidents import incidents
from app.compliance.incidents.affected import PAGE, order_ids

#: People in one annex; a larger one is asked for in parts (`after`).
LIMIT = PAGE
MIN_RSA_BITS = 2048


class AnnexRefusal(StrEnum):
    NOT_FOUND = "not_found"
    CERTIFICATE_UNUSABLE = "certificate_unusable"


@dataclass(frozen=True, repr=False)
class Annex:
    """sealed: DER. next_after: where the next part begins, None after the last."""

    sealed: bytes
    people: int
    next_after: OrderId | None


def read_certificate(pem: str, now: datetime) -> x509.Certificate | None:
    """None: not a certificate in PEM, not of an RSA key of 2048 bits or more, or not valid now."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except (ValueError, TypeError):
        return None
    valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    return certificate if valid and isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS else None


async def make_annex(
    sessions: async_sessionmaker[AsyncSession],
    incident_id: IncidentId,
    pem: str,
    reason: str,
    now: datetime,
    after: str = "",
) -> Annex | AnnexRefusal:
    """Names, numbers and phones of the affected, sealed before anything leaves this function."""
    certificate = read_certificate(pem, now)
    if certificate is None:
        return AnnexRefusal.CERTIFICATE_UNUSABLE
    async with sessions.begin() as session:
        if await incidents.lock(session, incident_id) is None:
            return AnnexRefusal.NOT_FOUND
        orders = await order_ids(session, incident_id, after)
        people = [await _person(session, each) for each in orders]
        receiver = certificate.fingerprint(SHA256()).hex()
        for each in orders:
            about = {"incident": incident_id, "receiver": receiver}
            await note(session, each, "export.made", "R9.2", reason, **about)
    clear = json.dumps({"incident": incident_id, "people": people}, ensure_ascii=False).encode()
    sealed = await asyncio.to_thread(_seal, clear, certificate)
    return Annex(sealed, len(people), orders[-1] if len(orders) == LIMIT else None)


async def _person(session: AsyncSession, order_id: OrderId) -> dict[str, str | None]:
    store = Store()
    document = await store.orders.document(session, order_id)
    contact = await store.orders.contact(session, order_id)
    return {
        "order": order_id,
        "name": document.name if document else None,
        "number": document.number if document else None,
        "phone": contact.phone if contact else None,
    }


def _seal(clear: bytes, certificate: x509.Certificate) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(clear).set_content_encryption_algorithm(AES256)
    return builder.add_recipient(certificate).encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
