"""R9.3: what a hold covers and what it stops. The order to stop comes from the authority or the operator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from activation.ids import OrderId
from activation.provinces import PROVINCES

#: Where an order came from; `web` is the only way in until dealers have theirs.
WEB = "web"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ScopeKind(StrEnum):
    ALL = "all"
    PROVINCE = "province"
    DEALER = "dealer"
    CHANNEL = "channel"
    ORDER = "order"


class HoldState(StrEnum):
    """LIFTING: no longer in force, while what it had stopped is being started again."""

    ACTIVE = "active"
    LIFTING = "lifting"
    LIFTED = "lifted"


class Stopped(StrEnum):
    """What a hold stopped. The first three are orders' work, which comes back when it is lifted."""

    SHIPMENT = "shipment"
    ACTIVATION = "activation"
    SUBSCRIBER = "subscriber"
    DELIVERY = "delivery"
    VIDEO_CHECK = "video_check"
    SIGN_IN = "sign_in"
    NEW_ORDER = "new_order"


COMES_BACK = frozenset({Stopped.SHIPMENT, Stopped.ACTIVATION, Stopped.SUBSCRIBER})


@dataclass(frozen=True)
class Scope:
    """`all`, or one province (short name), dealer, channel or order. Raises ValueError on anything else."""

    kind: ScopeKind
    value: str = ""

    def __post_init__(self) -> None:
        valid = {
            ScopeKind.ALL: self.value == "",
            ScopeKind.PROVINCE: self.value in PROVINCES,
            ScopeKind.DEALER: bool(_WORD.fullmatch(self.value)),
            ScopeKind.CHANNEL: bool(_WORD.fullmatch(self.value)),
            ScopeKind.ORDER: bool(OrderId.pattern.fullmatch(self.value)),
        }
        if not valid[self.kind]:
            raise ValueError(f"not a {self.kind}")

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}" if self.value else str(self.kind)

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Inverse of `str`. Raises ValueError."""
        kind, _, value = text.partition(":")
        return cls(ScopeKind(kind), value)


@dataclass(frozen=True)
class Reach:
    """What holds look at. province: empty where it is not known; then every province's hold covers it."""

    province: str
    channel: str = WEB
    dealer: str | None = None
    order: OrderId | None = None
