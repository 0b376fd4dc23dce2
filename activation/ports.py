"""What the flow needs from outside: HLR, registry, messages. Adapters stand in `activation.adapters`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from activation.evidence import RegistryVerdict
from activation.ids import Imsi, Msisdn


class HlrFault(Exception):
    """The HLR did not answer, or answered nonsense. Retried; never means that a card is on or off."""


@dataclass(frozen=True)
class Subscriber:
    """What the HLR says of one IMSI: number, circuit-switched and packet-switched domain."""

    imsi: Imsi
    msisdn: Msisdn | None
    cs_enabled: bool
    ps_enabled: bool

    @property
    def is_off(self) -> bool:
        return not (self.cs_enabled or self.ps_enabled)

    @property
    def is_on(self) -> bool:
        return self.cs_enabled and self.ps_enabled


class Hlr(Protocol):
    """Home location register. Every call is idempotent and raises HlrFault where it is not certain."""

    async def create_off(self, imsi: Imsi, msisdn: Msisdn) -> Subscriber:
        """R4.1: the subscriber exists with both domains off, read back. Never leaves one that is on."""

    async def switch_on(self, imsi: Imsi) -> Subscriber:
        """Both domains on, read back. Switches only what is off."""

    async def switch_off(self, imsi: Imsi) -> Subscriber:
        """Both domains off, read back."""

    async def read(self, imsi: Imsi) -> Subscriber | None:
        """None: no such subscriber."""


class RegistryFault(Exception):
    """The registry could not be asked (time-out, refusal, nonsense, open circuit). Retried later."""


@dataclass(frozen=True, repr=False)
class PersonalIdentity:
    """Name and document number in clear, for the registry only; shows nothing of itself."""

    name: str
    number: str


class Registry(Protocol):
    """The national citizen identity number service (R1.5)."""

    async def compare(self, identity: PersonalIdentity, idempotency_key: str) -> tuple[RegistryVerdict, str]:
        """Verdict and the registry's own reference; RegistryFault where there is no answer."""


class MessageKind(StrEnum):
    ONE_TIME_CODE = "one_time_code"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_REFUSED = "order_refused"
    ORDER_IN_REVIEW = "order_in_review"
    SHIPPED = "shipped"
    HANDOVER_CODE = "handover_code"
    ACTIVATION_LINK = "activation_link"
    NEW_CAPTURE_WANTED = "new_capture_wanted"
    ACTIVATED = "activated"


class Messages(Protocol):
    """Text messages to the applicant's contact phone."""

    async def send(
        self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
    ) -> None:
        """One message, once per key. values: what the text of this kind shows (codes, waybill, number)."""
