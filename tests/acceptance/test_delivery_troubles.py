"""What goes wrong on a courier's round, over HTTP: bad photos, a parcel that comes back meanwhile."""

from __future__ import annotations

import pytest

from activation.adapters.sql.tables import EvidenceRow
from activation.ids import Digest, OrderId
from app.http.common import BUSY
from media.door_photos import DoorPhotos, PhotosBusy
from media.vault import EvidenceNotFound
from tests.acceptance.delivering import House, application, ground, house, picture
from tests.acceptance.test_delivery import out

__all__ = ["application", "ground", "house"]


async def test_a_bad_photo_says_what_to_do_in_both_languages(house: House) -> None:
    _, courier, path = await out(house)
    for language, told in (("zh-CN", "请重新拍摄"), ("en", "Please take it")):
        courier.headers["Accept-Language"] = language
        _, problem = await courier.send("PUT", f"{path}/photo", "image/jpeg", b"")
        assert told in problem["detail"]


async def test_too_many_photos_at_once_are_told_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> PhotosBusy:
        return PhotosBusy()

    _, courier, path = await out(house)
    monkeypatch.setattr(DoorPhotos, "measure", busy)
    status, problem = await courier.send("PUT", f"{path}/photo", "image/png", picture())
    assert (status, problem["code"]) == (BUSY.status, BUSY.code)


async def test_nothing_is_kept_of_a_photo_whose_parcel_came_back_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, courier, path = await out(house)
    services = house.ground.services
    put, sealed = services.vault.put, list[Digest]()

    async def came_back_first(order_id: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        assert (await courier.post(f"{path}/outcome", {"outcome": "not_home"}))[0] == 200
        sealed.append(await put(order_id, kind, media_type, data))
        return sealed[-1]

    monkeypatch.setattr(services.vault, "put", came_back_first)
    _, problem = await courier.send("PUT", f"{path}/photo", "image/png", picture())
    assert problem["code"] == "wrong_state"
    async with services.readers() as session:
        assert await session.get(EvidenceRow, (sealed[0], order)) is None
    with pytest.raises(EvidenceNotFound):
        await services.vault.get(OrderId(order), sealed[0])
