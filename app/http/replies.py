"""What handlers answer with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    """A JSON answer. location: path of what was made. headers: of this answer, never kept.

    kept: what an idempotent operation may keep of the body where that holds a secret (`operation(renew=…)`).
    """

    status: int
    body: BaseModel
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    kept: BaseModel | None = None


@dataclass(frozen=True)
class Sent:
    """A reply as it goes out, and as it is kept to be given again."""

    status: int
    body: str
    location: str | None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, reply: Reply) -> Sent:
        return cls(reply.status, reply.body.model_dump_json(), reply.location, reply.headers)

    @classmethod
    def to_keep(cls, reply: Reply) -> Sent:
        """The same without what must not be stored."""
        body = reply.body if reply.kept is None else reply.kept
        return cls(reply.status, body.model_dump_json(), reply.location)

    def response(self, *, replayed: bool = False) -> web.Response:
        headers = {**self.headers, **({"Location": self.location} if self.location else {})}
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
