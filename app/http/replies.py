"""What handlers answer with."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """A JSON answer. location: path of what was made."""

    status: int
    body: BaseModel
    location: str | None = None


@dataclass(frozen=True)
class Sent:
    """A reply as it goes out, and as it is kept to be given again."""

    status: int
    body: str
    location: str | None

    @classmethod
    def of(cls, reply: Reply) -> Sent:
        return cls(reply.status, reply.body.model_dump_json(), reply.location)

    def response(self, *, replayed: bool = False) -> web.Response:
        headers = {"Location": self.location} if self.location else {}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return web.Response(
            status=self.status, body=self.body.encode(), content_type=JSON, charset="utf-8", headers=headers
        )

    def kept(self) -> str:
        return json.dumps({"body": self.body, "location": self.location})

    @classmethod
    def from_kept(cls, status: int, kept: str) -> Sent:
        members = json.loads(kept)
        return cls(status, members["body"], members["location"])
