"""Only our own, fresh, complete, unrevoked EdDSA tokens speak for anybody, and on their own device only."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import open_readers, open_sessions
from activation.ids import OrderId, StaffId
from app.access.devices import CONFIRMATION, device_digest, new_device
from app.access.principals import Applicant, Role, Staff
from app.access.revocations import LONGEST_ACCESS, Revocations
from app.access.tokens import AUDIENCE, ISSUER, LIFETIME, REQUIRED, TYPE, Tokens, key_id
from app.tables import StaffRow
from tests.app.ground import TEST_DEVICE, StandingClock

KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
ORDER = OrderId.new()
FAMILY = "f" * 22
Claims = dict[str, Any]


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def tokens(engine: AsyncEngine, clock: StandingClock) -> Tokens:
    return _tokens(engine, clock)


class NothingRevoked(Revocations):
    """Needs no database."""

    def __init__(self) -> None:
        pass

    async def holds(self, jti: str, subject: str, family: str) -> bool:
        return False


@pytest.fixture
def bare(clock: StandingClock) -> Tokens:
    """Where only the token itself is looked at."""
    return Tokens(KEY, NothingRevoked(), clock)


def _tokens(
    engine: AsyncEngine, clock: StandingClock, key: Ed25519PrivateKey = KEY, *former: Ed25519PrivateKey
) -> Tokens:
    revocations = Revocations(open_sessions(engine), open_readers(engine), clock)
    return Tokens(key, revocations, clock, tuple(each.public_key() for each in former))


def _issue(tokens: Tokens, principal: Applicant | Staff | None = None) -> str:
    return tokens.issue(principal or Applicant(ORDER), TEST_DEVICE, FAMILY).text


async def _good(tokens: Tokens, text: str, device: str | None = TEST_DEVICE) -> bool:
    return await tokens.verify(text, device) is not None


def _claims(clock: StandingClock, **changed: Any) -> Claims:
    now = int(clock().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(ORDER),
        "scope": "applicant",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": "a" * 22,
        "sid": FAMILY,
        "cnf": {CONFIRMATION: device_digest(TEST_DEVICE)},
    }
    return {name: value for name, value in (claims | changed).items() if value is not None}


def _header(**changed: Any) -> dict[str, Any]:
    head = {"kid": key_id(KEY.public_key()), "typ": TYPE, **changed}
    return {name: value for name, value in head.items() if value is not None}


def _sign(claims: Claims, key: Any = KEY, algorithm: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers=_header(**header))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw(head: str, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """A token with exactly this header, signed over it."""
    signed = f"{_b64(head.encode())}.{_b64(json.dumps(claims).encode())}"
    return f"{signed}.{_b64(sign(signed.encode()))}"


async def test_what_was_issued_is_good_for_its_holder(bare: Tokens) -> None:
    for principal in (Applicant(ORDER), Staff(StaffId.new(), Role.REVIEWER)):
        bearer = await bare.verify(_issue(bare, principal), TEST_DEVICE)
        assert bearer is not None
        assert (bearer.principal, bearer.family) == (principal, FAMILY)


async def test_a_token_is_good_on_its_own_device_only(bare: Tokens) -> None:
    text = _issue(bare)
    assert await _good(bare, text)
    for device in (None, "", new_device(), TEST_DEVICE[:-1], TEST_DEVICE.lower(), "设备", "\udcff"):
        assert not await _good(bare, text, device)


async def test_a_token_ends(bare: Tokens, clock: StandingClock) -> None:
    issued = bare.issue(Applicant(ORDER), TEST_DEVICE, FAMILY)
    assert issued.expires_in <= 15 * 60
    clock.forward(timedelta(seconds=issued.expires_in - 1))
    assert await _good(bare, issued.text)
    clock.forward(timedelta(seconds=1))
    assert not await _good(bare, issued.text)
    short = bare.issue(Applicant(ORDER), TEST_DEVICE, FAMILY, clock() + timedelta(seconds=7))
    assert short.expires_in == 7


def test_no_token_outlives_what_is_remembered_of_ended_sign_ins() -> None:
    assert max(LIFETIME.values()) < LONGEST_ACCESS
    assert set(LIFETIME) == set(Role) - {Role.ANYONE}


async def test_a_revoked_token_is_refused_by_every_process_within_a_second(
    tokens: Tokens, engine: AsyncEngine, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _tokens(engine, clock)
    text = _issue(tokens)
    bearer = await tokens.verify(text, TEST_DEVICE)
    assert bearer is not None
    assert await _good(other, text)
    for _ in range(2):
        await tokens.revoke(bearer)
    assert not await _good(tokens, text)
    monkeypatch.setattr("app.access.revocations.LAG_S", 0.0)
    assert not await _good(other, text)


@pytest.mark.parametrize("claim", [*REQUIRED, "scope"])
async def test_a_token_without_a_claim_is_no_token(bare: Tokens, clock: StandingClock, claim: str) -> None:
    assert await _good(bare, _sign(_claims(clock)))
    assert not await _good(bare, _sign(_claims(clock, **{claim: None})))


BAD_CLAIMS: dict[str, Claims] = {
    "another audience": {"aud": "elsewhere"},
    "several audiences, not ours": {"aud": ["a", "b"]},
    "another issuer": {"iss": "elsewhere"},
    "several issuers": {"iss": [ISSUER]},
    "a role that nobody has": {"scope": "root"},
    "several roles": {"scope": "applicant operator"},
    "anyone": {"scope": "anyone"},
    "a role of staff for an order": {"scope": "operator"},
    "an order that cannot exist": {"sub": "ord_x"},
    "no text as subject": {"sub": 7},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "x" * 65},
    "an empty family": {"sid": ""},
    "no text as family": {"sid": 7},
    "time as text": {"exp": "9999999999"},
    "time as a fraction": {"iat": 1.5},
    "time as truth": {"iat": True},
    "far beyond its life": {"exp": 9_999_999_999},
    "from the future": {"iat": 9_999_999_000, "exp": 9_999_999_999},
    "not before tomorrow": {"nbf": 9_999_999_000},
    "not before some text": {"nbf": "0"},
    "over": {"iat": 1_000_000_000, "nbf": 1_000_000_000, "exp": 1_000_000_600},
    "over before it began": {"exp": 1},
    "huge": {"exp": 10**30},
    "no device": {"cnf": {}},
    "a device as text": {"cnf": device_digest(TEST_DEVICE)},
    "another confirmation": {"cnf": {"jkt": device_digest(TEST_DEVICE)}},
    "another device": {"cnf": {CONFIRMATION: device_digest("x" * 43)}},
    "the device itself": {"cnf": {CONFIRMATION: TEST_DEVICE}},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_a_token_with_a_bad_claim_is_no_token(bare: Tokens, clock: StandingClock, name: str) -> None:
    text = _raw(json.dumps(_header(alg="EdDSA")), _claims(clock, **BAD_CLAIMS[name]), KEY.sign)
    assert not await _good(bare, text)


async def test_tokens_of_a_former_key_stay_good_under_its_own_kid_only(
    engine: AsyncEngine, clock: StandingClock
) -> None:
    old = _issue(_tokens(engine, clock))
    both = _tokens(engine, clock, OTHER_KEY, KEY)
    assert await _good(both, old)
    assert not await _good(_tokens(engine, clock, OTHER_KEY), old)
    crossed = _sign(_claims(clock), OTHER_KEY, kid=key_id(KEY.public_key()))
    assert not await _good(both, crossed)
    assert await _good(both, _sign(_claims(clock), OTHER_KEY, kid=key_id(OTHER_KEY.public_key())))


async def test_a_disabled_account_is_refused_at_once(
    tokens: Tokens, sessions: async_sessionmaker[AsyncSession], clock: StandingClock
) -> None:
    staff = StaffId.new()
    async with sessions.begin() as session:
        session.add(
            StaffRow(
                id=staff, username="c", role="courier", password_hash="x", disabled=True, created_at=clock()
            )
        )
    assert not await _good(tokens, _issue(tokens, Staff(staff, Role.COURIER)))


def test_a_key_id_names_the_key() -> None:
    raw = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert key_id(KEY.public_key()) == hashlib.sha256(raw).hexdigest()[:16]
