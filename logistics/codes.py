"""The one-time handover code: six digits that the applicant says to the courier at the door (R3.3)."""

from __future__ import annotations

import hmac

from activation.adapters.sql.fields import FieldKeys
from activation.ids import DeliveryId, Digest

DIGITS = 6
#: Wrong codes, or wrong tails of the document number, after which none is taken any more.
MAX_FAILURES = 5
#: Codes made for one delivery; with MAX_FAILURES tries each, guessing one stays below 1 in 10,000.
MAX_ISSUES = 10
_PURPOSE = "handover_code"
_RANDOM_BYTES = 16


def make_code(keys: FieldKeys, delivery: DeliveryId, issue: int) -> str:
    """The code number `issue` of a delivery. Derived, so that a step that is repeated sends the same one."""
    drawn = keys.secret(_PURPOSE, f"{delivery}/{issue}", _RANDOM_BYTES)
    return f"{int.from_bytes(drawn, 'big') % 10**DIGITS:0{DIGITS}d}"


def code_digest(keys: FieldKeys, delivery: DeliveryId, code: str) -> Digest:
    """What is stored of a code."""
    return keys.digest(_PURPOSE, f"{delivery}/{code}")


def code_matches(keys: FieldKeys, delivery: DeliveryId, code: str, stored: Digest) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(code_digest(keys, delivery, code), stored)


def tail_matches(given: str, number: str) -> bool:
    """Whether `given` is the last digits of a document number; constant-time, the check character as X."""
    return hmac.compare_digest(given.strip().upper().encode(), number.upper()[-len("0000") :].encode())


def masked_name(name: str) -> str:
    """The family name's first character and a star for each that follows."""
    return name[:1] + "*" * max(len(name) - 1, 1)
