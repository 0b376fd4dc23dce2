"""The courier's photo: measured, compared with the front's portrait, sealed, kept with the delivery."""

from __future__ import annotations

from dataclasses import dataclass

from activation.evidence import FaceComparison, FaceSource
from activation.ids import DeliveryId, OrderId, StaffId
from app.preselection.consents import ConsentKind, given_consents
from app.preselection.stored import load_captures
from app.services import Services
from app.texts.text import Text
from logistics.delivery import DeliveryState
from logistics.rounds import Photo, RoundRefusal
from media.captures import CAPTURE_MESSAGES
from media.door_photos import DoorPhoto, PhotosBusy

KIND = "courier_photo"
JPEG = "image/jpeg"


@dataclass(frozen=True)
class PhotoKept:
    face_found: bool


@dataclass(frozen=True)
class PhotoRefused:
    """code: of `media.images.ImageRefusal`, or `busy`."""

    code: str
    text: Text


async def take_photo(
    services: Services, courier: StaffId, delivery_id: DeliveryId, data: bytes
) -> PhotoKept | PhotoRefused | RoundRefusal:
    """Only for a parcel that is out with this courier; nothing is kept of any other."""
    rounds = services.logistics.rounds
    found = await rounds.read(courier, delivery_id)
    if isinstance(found, RoundRefusal):
        return found
    if found.delivery.courier != courier or found.delivery.state is not DeliveryState.OUT:
        return RoundRefusal.WRONG_STATE
    measured = await services.door_photos.measure(data)
    if isinstance(measured, PhotosBusy):
        return PhotoRefused("busy", Text("系统繁忙，请稍候再试。", "Busy. Try again in a moment."))
    if not isinstance(measured, DoorPhoto):
        return PhotoRefused(measured, Text(*CAPTURE_MESSAGES[measured]))
    order = found.delivery.order
    comparisons = await _compare(services, order, measured)
    digest = await services.vault.put(order, KIND, JPEG, measured.jpeg)
    photo = Photo(digest, KIND, JPEG, len(measured.jpeg))
    refusal = await rounds.keep_photo(courier, delivery_id, photo, comparisons)
    return refusal or PhotoKept(measured.embedding is not None)


async def _compare(services: Services, order: OrderId, photo: DoorPhoto) -> tuple[FaceComparison, ...]:
    """R9.4: only while the applicant agrees to face recognition. Not compared means: a reviewer looks."""
    async with services.readers() as session:
        if ConsentKind.FACE_RECOGNITION not in await given_consents(session, order):
            return ()
        captures = await load_captures(session, order)
    portraits = (face for face in captures.faces if face.source is FaceSource.FRONT_PORTRAIT)
    portrait = next(portraits, None)
    return () if portrait is None else photo.compared_with(portrait.embedding, portrait.model)
