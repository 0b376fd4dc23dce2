"""Every confusion of algorithms, keys and headers that is known of JWTs: none speaks for anybody."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activation.ids import OrderId
from app.access.tokens import MAX_LENGTH, TYPE, Tokens, key_id
from tests.app.access.test_tokens import (
    KEY,
    OTHER_KEY,
    Claims,
    _b64,
    _claims,
    _good,
    _header,
    _raw,
    _sign,
    bare,
    clock,
)
from tests.app.ground import StandingClock

__all__ = ["bare", "clock"]


def _unsigned(claims: Claims, algorithm: str = "none") -> str:
    return _raw(json.dumps(_header(alg=algorithm)), claims, lambda _: b"")


def _with_public_key_as_secret(form: str, digest: str) -> Callable[[Claims], str]:
    """The public key, in each form in which it might be found, used as the secret of an HMAC."""
    public = KEY.public_key()
    secret = {
        "raw": public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "kid": key_id(public).encode(),
    }[form]

    def forge(claims: Claims) -> str:
        head = json.dumps(_header(alg=f"HS{digest}"))
        return _raw(head, claims, lambda signed: hmac.digest(secret, signed, f"sha{digest}"))

    return forge


def _bent(claims: Claims) -> str:
    head, _, signature = _sign(claims).split(".")
    return ".".join((head, _b64(json.dumps(claims | {"sub": str(OrderId.new())}).encode()), signature))


def _with_own_key(**header: Any) -> Callable[[Claims], str]:
    """Signed by a stranger, with the stranger's key in the header."""
    return lambda claims: _raw(json.dumps(_header(alg="EdDSA", **header)), claims, OTHER_KEY.sign)


def _with_own_header(**header: Any) -> Callable[[Claims], str]:
    """Signed by us, with more in the header than we ever write."""
    return lambda claims: _raw(json.dumps(_header(alg="EdDSA", **header)), claims, KEY.sign)


def _twice(first: str, second: str) -> Callable[[Claims], str]:
    """Two members of one name: each reader takes another one."""
    kid = key_id(KEY.public_key())
    head = f'{{"alg":"{first}","alg":"{second}","typ":"{TYPE}","kid":"{kid}"}}'
    return lambda claims: _raw(head, claims, KEY.sign)


_JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": _b64(OTHER_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
}
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())

FORGERIES: dict[str, Callable[[Claims], str]] = {
    "alg none": _unsigned,
    "alg None": lambda claims: _unsigned(claims, "None"),
    "alg nOnE": lambda claims: _unsigned(claims, "nOnE"),
    "alg empty": lambda claims: _unsigned(claims, ""),
    "alg none, our signature": lambda claims: _raw(json.dumps(_header(alg="none")), claims, KEY.sign),
    "alg missing": lambda claims: _raw(json.dumps(_header()), claims, KEY.sign),
    "alg null": lambda claims: _raw(json.dumps({**_header(), "alg": None}), claims, KEY.sign),
    "alg as a list": lambda claims: _raw(json.dumps(_header(alg=["EdDSA"])), claims, KEY.sign),
    "alg in small letters": lambda claims: _raw(json.dumps(_header(alg="eddsa")), claims, KEY.sign),
    "alg twice, ours last": _twice("none", "EdDSA"),
    "alg twice, ours first": _twice("EdDSA", "none"),
    **{
        f"HS{digest} with the public key, {form}": _with_public_key_as_secret(form, digest)
        for digest in ("256", "384", "512")
        for form in ("raw", "pem", "der", "kid")
    },
    "another Ed25519 key under our kid": lambda claims: _sign(claims, OTHER_KEY),
    "ES256": lambda claims: _sign(claims, _EC, "ES256"),
    "RS256": lambda claims: _sign(claims, _RSA, "RS256"),
    "PS512": lambda claims: _sign(claims, _RSA, "PS512"),
    "Ed448": lambda claims: _sign(claims, Ed448PrivateKey.generate()),
    "an unknown key id": lambda claims: _sign(claims, kid="0" * 16),
    "no key id": lambda claims: _raw(json.dumps(_header(alg="EdDSA", kid=None)), claims, KEY.sign),
    "a path as key id": lambda claims: _sign(claims, kid="../../dev/null"),
    "an SQL key id": lambda claims: _sign(claims, kid="' OR 1=1 --"),
    "a key of its own, jwk": _with_own_key(jwk=_JWK),
    "a key of its own, its kid": _with_own_key(jwk=_JWK, kid=key_id(OTHER_KEY.public_key())),
    "a key of its own, jku": _with_own_key(jku="https://attacker.example/keys.json"),
    "a key of its own, x5u": _with_own_key(x5u="https://attacker.example/chain.pem"),
    "a key of its own, x5c": _with_own_key(x5c=["MIIB"]),
    "a critical extension": _with_own_header(crit=["exp"], exp=1),
    "not base64 (RFC 7797)": _with_own_header(b64=False, crit=["b64"]),
    "compressed": _with_own_header(zip="DEF"),
    "a jwk beside our signature": _with_own_header(jwk=_JWK),
    "another type": _with_own_header(typ="JWT"),
    "no type": _with_own_header(typ=None),
    "changed claims": _bent,
    "no signature": lambda claims: _sign(claims).rsplit(".", 1)[0] + ".",
    "two parts": lambda claims: _sign(claims).rsplit(".", 1)[0],
    "four parts": lambda claims: _sign(claims) + ".e30",
    "half a signature": lambda claims: _sign(claims)[:-40],
    "a JWE": lambda _: ".".join([_b64(json.dumps({"alg": "dir", "enc": "A256GCM"}).encode()), *"abcd"]),
    "empty": lambda _: "",
    "dots": lambda _: "..",
    "not a token": lambda _: "hello",
    "not ASCII": lambda _: "令牌",
    "surrogates": lambda _: "\udcff.\udcff.\udcff",
    "very long": lambda claims: _sign(claims | {"more": "x" * MAX_LENGTH}),
    "megabytes": lambda _: "a" * 4_000_000,
    "a deep header": lambda claims: _raw("[" * 700 + "]" * 700, claims, KEY.sign),
    "bytes that are not base64": lambda _: "@@@.@@@.@@@",
    "JSON of another kind": lambda _: "W10.W10.W10",
    "a header that is no UTF-8": lambda _: f"{_b64(bytes([0xFF, 0xFE]))}.W10.W10",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_no_token(bare: Tokens, clock: StandingClock, name: str) -> None:
    assert await _good(bare, _sign(_claims(clock)))
    assert not await _good(bare, FORGERIES[name](_claims(clock)))


async def test_a_token_stays_the_same_however_it_is_signed_by_hand(
    bare: Tokens, clock: StandingClock
) -> None:
    """The forgeries above fail for what they change and not for how they are made."""
    assert await _good(bare, _raw(json.dumps(_header(alg="EdDSA")), _claims(clock), KEY.sign))
