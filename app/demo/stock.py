"""What the operator has in store before the first order: cards and numbers of no network."""

from __future__ import annotations

from dataclasses import dataclass

from activation.ids import Iccid, Imsi, Msisdn, luhn_check_digit

#: 89 telecommunications, 86 China, 00 an operator; a batch of our own.
_ICCID_HEAD = "898600990000"
#: Mobile country code 460, network code 99 (unassigned).
_IMSI_HEAD = "46099"
_NUMBER_HEAD = "1990000"


@dataclass(frozen=True)
class Stock:
    """Cards by ICCID with their IMSI, and numbers."""

    cards: dict[Iccid, Imsi]
    numbers: tuple[Msisdn, ...]

    def cards_csv(self) -> bytes:
        lines = [f"{iccid},{imsi},demo-1" for iccid, imsi in self.cards.items()]
        return "\n".join(["iccid,imsi,batch", *lines, ""]).encode()

    def numbers_csv(self) -> bytes:
        return "\n".join(["msisdn,region", *(f"{each},北京" for each in self.numbers), ""]).encode()


def fictional_stock(count: int) -> Stock:
    """`count` (at most 10,000) cards and as many numbers; always the same ones."""
    cards = {}
    for serial in range(count):
        head = f"{_ICCID_HEAD}{serial:07d}"
        cards[Iccid(head + luhn_check_digit(head))] = Imsi(f"{_IMSI_HEAD}{serial:010d}")
    return Stock(cards, tuple(Msisdn(f"{_NUMBER_HEAD}{serial:04d}") for serial in range(count)))
