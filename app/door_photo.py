"""The courier's photo: measured, compared with the front's portrait, sealed, kept with the delivery.

R9.4: a face is looked for only while the applicant agrees to face recognition. Without that the photo is
only encoded anew. Not compared means: a reviewer looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from activation.adapters.sql.tables import EvidenceRow
from activation.evidence import FaceComparison, FaceSource
from activation.ids import DeliveryId, Digest, OrderId, StaffId
from app.preselection.consents import ConsentKind, given_consents
from app.preselection.stored import load_captures
from app.services import Services
from app.texts.text import Text
from logistics.delivery import DeliveryState
from logistics.rounds import Photo, RoundRefusal
from media.captures import CAPTURE_MESSAGES
from media.door_photos import DoorPhoto, PhotosBusy
from media.vault import VaultBusy

KIND = "courier_photo"
JPEG = "image/jpeg"


@dataclass(frozen=True)
class PhotoKept:
    """face_found: None: it was not looked for."""

    face_found: bool | None


@dataclass(frozen=True)
class PhotoRefused:
    """code: of `media.images.ImageRefusal`; text: what to do about it."""

    code: str
    text: Text


async def take_photo(
    services: Services, courier: StaffId, delivery_id: DeliveryId, data: bytes
) -> PhotoKept | PhotoRefused | PhotosBusy | RoundRefusal:
    """Only for a parcel that is out with this courier; nothing is kept of any other."""
    rounds = services.logistics.rounds
    found = await rounds.read(courier, delivery_id)
    if isinstance(found, RoundRefusal):
        return found
    if found.delivery.courier != courier or found.delivery.state is not DeliveryState.OUT:
        return RoundRefusal.WRONG_STATE
    order = found.delivery.order
    async with services.readers() as session:
        agreed = ConsentKind.FACE_RECOGNITION in await given_consents(session, order)
    measured = await services.door_photos.measure(data, agreed)
    if isinstance(measured, PhotosBusy):
        return measured
    if not isinstance(measured, DoorPhoto):
        texts = CAPTURE_MESSAGES[measured]
        return PhotoRefused(measured, Text(texts["zh-CN"], texts["en"]))
    comparisons = await _compare(services, order, measured)
    try:
        digest = await services.vault.put(order, KIND, JPEG, measured.jpeg)
    except VaultBusy:
        return PhotosBusy()
    photo = Photo(digest, KIND, JPEG, len(measured.jpeg))
    refusal = await rounds.keep_photo(courier, delivery_id, photo, comparisons)
    if refusal is not None:
        await _forget(services, order, digest)
        return refusal
    return PhotoKept(measured.embedding is not None if agreed else None)


async def _forget(services: Services, order: OrderId, digest: Digest) -> None:
    """The parcel came back, or changed hands, while its photo was measured."""
    async with services.readers() as session:
        known = await session.get(EvidenceRow, (digest, order))
    if known is None:
        await services.vault.destroy(order, digest)


async def _compare(services: Services, order: OrderId, photo: DoorPhoto) -> tuple[FaceComparison, ...]:
    if photo.embedding is None:
        return ()
    async with services.readers() as session:
        captures = await load_captures(session, order)
    portraits = (face for face in captures.faces if face.source is FaceSource.FRONT_PORTRAIT)
    portrait = next(portraits, None)
    return () if portrait is None else photo.compared_with(portrait.embedding, portrait.model)
