"""Signatures of carriers' events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logistics.carriers import (
    MAX_SIGNATURES,
    TOLERANCE,
    Carriers,
    CarriersInvalid,
    SignatureRefusal,
    load_carriers,
    sign,
    signature_header,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SENT = int(NOW.timestamp())
OLD, NEW, OTHER = (letter * 32 for letter in (b"o", b"n", b"x"))
BODY = b'{"event": "collected"}'
CARRIERS = Carriers({"sf": (NEW, OLD), "ems": (OTHER,)})


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_any_secret_in_rotation_is_good(secret: bytes) -> None:
    assert CARRIERS.verify("sf", signature_header(secret, SENT, BODY), BODY, NOW) is None


def test_one_good_signature_of_several_is_enough() -> None:
    header = f"t={SENT}, v1={sign(OTHER, SENT, BODY)}, v1={sign(NEW, SENT, BODY)}, v0=ignored"
    assert CARRIERS.verify("sf", header, BODY, NOW) is None


@pytest.mark.parametrize(
    ("carrier", "header", "body", "refusal"),
    [
        ("sf", "", BODY, SignatureRefusal.MISSING),
        ("sf", signature_header(OTHER, SENT, BODY), BODY, SignatureRefusal.WRONG),
        ("sf", signature_header(NEW, SENT, BODY), BODY + b" ", SignatureRefusal.WRONG),
        (
            "sf",
            signature_header(NEW, SENT, BODY).replace(str(SENT), str(SENT + 1)),
            BODY,
            SignatureRefusal.WRONG,
        ),
        ("ems", signature_header(NEW, SENT, BODY), BODY, SignatureRefusal.WRONG),
        ("nobody", signature_header(NEW, SENT, BODY), BODY, SignatureRefusal.UNKNOWN_CARRIER),
        ("nobody", signature_header(bytes(32), SENT, BODY), BODY, SignatureRefusal.UNKNOWN_CARRIER),
        ("sf", "nonsense", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"t={SENT}", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"v1={sign(NEW, SENT, BODY)}", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"t=-5,v1={sign(NEW, -5, BODY)}", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"t={SENT},t={SENT},v1={sign(NEW, SENT, BODY)}", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"t={SENT},v1={sign(NEW, SENT, BODY).upper()}", BODY, SignatureRefusal.MALFORMED),
        ("sf", f"t={SENT}" + f",v1={'0' * 64}" * (MAX_SIGNATURES + 1), BODY, SignatureRefusal.MALFORMED),
    ],
)
def test_refused(carrier: str, header: str, body: bytes, refusal: SignatureRefusal) -> None:
    assert CARRIERS.verify(carrier, header, body, NOW) is refusal


@pytest.mark.parametrize("way", [-1, 1])
def test_a_signature_holds_for_five_minutes_either_way(way: int) -> None:
    header = signature_header(NEW, SENT, BODY)
    assert CARRIERS.verify("sf", header, BODY, NOW + way * TOLERANCE) is None
    late = NOW + way * (TOLERANCE + timedelta(seconds=1))
    assert CARRIERS.verify("sf", header, BODY, late) is SignatureRefusal.STALE


def test_secrets_come_from_a_file_and_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "carriers.json"
    path.write_text(json.dumps({"sf": [NEW.decode(), OLD.decode()]}))
    carriers = load_carriers(path)
    assert carriers.secrets == {"sf": (NEW, OLD)}
    assert "nnnn" not in repr(carriers)


@pytest.mark.parametrize(
    "told",
    ["", "[]", '{"sf": []}', '{"sf": ["short"]}', '{"SF": ["%s"]}' % ("n" * 32), '{"sf": "%s"}' % ("n" * 32)],
)
def test_files_that_are_refused(tmp_path: Path, told: str) -> None:
    path = tmp_path / "carriers.json"
    path.write_text(told)
    with pytest.raises(CarriersInvalid) as refused:
        load_carriers(path)
    assert "nnnn" not in str(refused.value)
