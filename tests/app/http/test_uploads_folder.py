"""Against a vault in a folder there is no direct upload, and that is said."""

from __future__ import annotations

from tests.app.ground import Ground
from tests.app.http.conftest import Client
from tests.app.http.walking import bearer, consent, key, open_order


async def test_a_folder_offers_no_direct_upload(client: Client, ground: Ground) -> None:
    order = await open_order(client, ground)
    token = bearer(ground.applicant_token(order))
    await consent(client, order, token)
    body = {"kind": "id_front", "media_type": "image/jpeg"}
    for path, sent in (("uploads", body), (f"uploads/upl_{'0' * 24}/taken", None)):
        async with client.post(f"/v1/orders/{order}/{path}", json=sent, headers={**token, **key()}) as answer:
            problem = await answer.json()
        assert (answer.status, problem["code"]) == (409, "uploads_not_offered")
        assert "PUT" in problem["detail"]
