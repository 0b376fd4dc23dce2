"""A case file of an order that went half the way, and what belongs to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activation.acting import acting_as
from activation.adapters.sql.audit import note
from activation.adapters.sql.decisions import Decisions, Question
from activation.adapters.sql.facts import FactLog
from activation.gate import may_ship
from activation.ids import OrderId
from app.compliance.casefile.making import CaseFiles, CaseMade, CaseRequest
from app.compliance.casefile.standalone.reading import ZipMembers
from app.compliance.casefile.standalone.verifying import verify
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

KEY = Ed25519PrivateKey.generate()
BY = "stf_" + "0" * 24
REASON = "inspection of the authority"


async def order_on_record(client: Client, ground: Ground) -> OrderId:
    """Captures in the vault, facts, a decision, entries in the audit chain."""
    order, token, digest = await walk.ready_to_confirm(client, ground)
    body = {"reading_digest": digest}
    await client.post(f"/v1/orders/{order}/confirmation", json=body, headers={**token, **walk.key()})
    services, order_id = ground.services, OrderId(order)
    async with services.sessions.begin() as session:
        facts = await FactLog().load(session, order_id)
        answer = may_ship(facts, services.policy)
        await Decisions().record(session, Question.MAY_SHIP, facts, services.policy, answer, services.clock())
    async with services.sessions.begin() as session:
        await note(session, order_id, "order.looked", "R9.1")
    return order_id


def case_files(ground: Ground, key: Ed25519PrivateKey = KEY) -> CaseFiles:
    services = ground.services
    return CaseFiles(services.sessions, services.readers, services.vault, key, services.clock)


async def made(
    ground: Ground, order: OrderId, *, with_media: bool = True, with_identity: bool = False
) -> bytes:
    """The ZIP."""
    target = io.BytesIO()
    request = CaseRequest(order, REASON, with_media, with_identity, "test")
    with acting_as(BY):
        answer = await case_files(ground).make(request, cast(BinaryIO, Unseekable(target)))
    assert isinstance(answer, CaseMade)
    return target.getvalue()


class Unseekable:
    """What a pipe can do."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        return self._target.write(data)

    def flush(self) -> None:
        pass


def members_of(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as writing:
        for name, data in members.items():
            kind = zipfile.ZIP_STORED if name.startswith("media/") else compression
            writing.writestr(name, data, kind)
    return target.getvalue()


def findings(data: bytes, key: Ed25519PublicKey | None = None) -> list[str]:
    return verify(ZipMembers(io.BytesIO(data), len(data)), key or KEY.public_key()).found


def changed(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The ZIP after a change of its members."""
    members = members_of(data)
    change(members)
    return packed(members)


def write_public(path: Path, key: Ed25519PublicKey | None = None) -> Path:
    path.write_bytes((key or KEY.public_key()).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path
