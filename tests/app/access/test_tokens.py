"""Only our own, fresh, complete, unrevoked EdDSA tokens speak for anybody."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import open_readers, open_sessions
from activation.ids import OrderId, StaffId
from app.access.principals import Applicant, Role, Staff
from app.access.revocations import Revocations
from app.access.tokens import AUDIENCE, ISSUER, REQUIRED, Tokens, key_id
from app.tables import StaffRow
from tests.app.ground import StandingClock

KEY = Ed25519PrivateKey.generate()
ORDER = OrderId.new()
Claims = dict[str, Any]


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def tokens(engine: AsyncEngine, clock: StandingClock) -> Tokens:
    return Tokens(KEY, Revocations(open_sessions(engine), open_readers(engine), clock), clock)


def _claims(clock: StandingClock, **changed: Any) -> Claims:
    now = int(clock().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(ORDER),
        "scope": "applicant",
        "iat": now,
        "exp": now + 600,
        "jti": "a" * 22,
    }
    return {name: value for name, value in (claims | changed).items() if value is not None}


def _sign(claims: Claims, key: Any = KEY, algorithm: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers={"kid": key_id(KEY.public_key()), **header})


async def test_what_was_issued_is_good_for_its_holder(tokens: Tokens) -> None:
    for principal in (Applicant(ORDER), Staff(StaffId.new(), Role.REVIEWER)):
        bearer = await tokens.verify(tokens.issue(principal).text)
        assert bearer is not None
        assert bearer.principal == principal


async def test_a_token_ends(tokens: Tokens, clock: StandingClock) -> None:
    issued = tokens.issue(Applicant(ORDER))
    clock.forward(timedelta(seconds=issued.expires_in - 1))
    assert await tokens.verify(issued.text) is not None
    clock.forward(timedelta(seconds=1))
    assert await tokens.verify(issued.text) is None


async def test_a_revoked_token_is_refused_by_every_process_within_a_second(
    tokens: Tokens, engine: AsyncEngine, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Tokens(KEY, Revocations(open_sessions(engine), open_readers(engine), clock), clock)
    text = tokens.issue(Applicant(ORDER)).text
    bearer = await tokens.verify(text)
    assert bearer is not None
    assert await other.verify(text) is not None
    for _ in range(2):
        await tokens.revoke(bearer)
    assert await tokens.verify(text) is None
    monkeypatch.setattr("app.access.revocations.LAG_S", 0.0)
    assert await other.verify(text) is None


@pytest.mark.parametrize("claim", [*REQUIRED, "scope"])
async def test_a_token_without_a_claim_is_no_token(tokens: Tokens, clock: StandingClock, claim: str) -> None:
    assert await tokens.verify(_sign(_claims(clock))) is not None
    assert await tokens.verify(_sign(_claims(clock, **{claim: None}))) is None


BAD_CLAIMS: dict[str, Claims] = {
    "another audience": {"aud": "elsewhere"},
    "several audiences, not ours": {"aud": ["a", "b"]},
    "another issuer": {"iss": "elsewhere"},
    "a role that nobody has": {"scope": "root"},
    "anyone": {"scope": "anyone"},
    "a role of staff for an order": {"scope": "operator"},
    "an order that cannot exist": {"sub": "ord_x"},
    "no text as subject": {"sub": 7},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "x" * 65},
    "time as text": {"exp": "9999999999"},
    "time as a fraction": {"iat": 1.5},
    "time as truth": {"iat": True},
    "far beyond its life": {"exp": 9_999_999_999},
    "from the future": {"iat": 9_999_999_000, "exp": 9_999_999_999},
    "huge": {"exp": 10**30},
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
async def test_a_token_with_a_bad_claim_is_no_token(tokens: Tokens, clock: StandingClock, name: str) -> None:
    assert await tokens.verify(_sign(_claims(clock, **BAD_CLAIMS[name]))) is None


def _unsigned(claims: Claims) -> str:
    head = {"alg": "none", "typ": "JWT", "kid": key_id(KEY.public_key())}
    parts = (
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (head, claims)
    )
    return ".".join((*parts, ""))


def _with_public_key_as_secret(claims: Claims) -> str:
    secret = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _sign(claims, secret, "HS256")


def _bent(claims: Claims) -> str:
    head, _, signature = _sign(claims).split(".")
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"sub": str(OrderId.new())}).encode())
    return ".".join((head, changed.rstrip(b"=").decode(), signature))


FORGERIES: dict[str, Callable[[Claims], str]] = {
    "alg none": _unsigned,
    "alg none, capitals": lambda claims: _unsigned(claims).replace("none", "nOnE"),
    "HMAC with the public key": _with_public_key_as_secret,
    "another Ed25519 key": lambda claims: _sign(claims, Ed25519PrivateKey.generate()),
    "another algorithm": lambda claims: _sign(claims, ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "an unknown key id": lambda claims: _sign(claims, kid="0" * 16),
    "a key of its own": lambda claims: _sign(claims, jwk={"kty": "OKP"}, kid="x"),
    "changed claims": _bent,
    "no signature": lambda claims: _sign(claims).rsplit(".", 1)[0] + ".",
    "empty": lambda _: "",
    "dots": lambda _: "..",
    "not a token": lambda _: "hello",
    "not ASCII": lambda _: "令牌",
    "surrogates": lambda _: "\udcff.\udcff.\udcff",
    "very long": lambda claims: _sign(claims | {"more": "x" * 4000}),
    "bytes that are not base64": lambda _: "@@@.@@@.@@@",
    "JSON of another kind": lambda _: "W10.W10.W10",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_no_token(tokens: Tokens, clock: StandingClock, name: str) -> None:
    assert await tokens.verify(FORGERIES[name](_claims(clock))) is None


async def test_tokens_of_a_former_key_stay_good(engine: AsyncEngine, clock: StandingClock) -> None:
    revocations = Revocations(open_sessions(engine), open_readers(engine), clock)
    old = Tokens(KEY, revocations, clock).issue(Applicant(ORDER)).text
    fresh = Ed25519PrivateKey.generate()
    assert await Tokens(fresh, revocations, clock, (KEY.public_key(),)).verify(old) is not None
    assert await Tokens(fresh, revocations, clock).verify(old) is None


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
    assert await tokens.verify(tokens.issue(Staff(staff, Role.COURIER)).text) is None
