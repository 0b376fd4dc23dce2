"""Compares a case file with its signature, its manifest, and what its members say of each other."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .comparing import Case, Findings, check_decisions, check_facts, entries_of, told
from .reading import MAX_TEXT_BYTES, Members
from .sealed import Unusable

SCHEMA = "kaika.casefile.1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
#: Every case file has these, beside its manifest.
WANTED = (
    "README.txt",
    "audit.json",
    "decisions.json",
    "evidence.json",
    "facts.json",
    "order.json",
    "proof.json",
)
START = "0" * 64
#: 2,000 members take some 400 KB.
MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES = 1024 * 1024, 4096
CHECKPOINT = b"kaika.audit.checkpoint.1\n"


def signed_text(manifest: bytes) -> bytes:
    """What the Ed25519 signature is over."""
    return SCHEMA.encode() + b"\n" + manifest


@dataclass(frozen=True)
class Verified:
    """found: everything that differs, named by member. about: what the file says of itself, in a few lines.

    A file that is whole can still be an old one, or another order's: whoever verifies it reads `about`.
    """

    found: list[str]
    about: list[str]


def verify(members: Members, key: Ed25519PublicKey) -> Verified:
    """Nothing found: all is as it was signed by `key`, and as the audit trail has it.

    What nobody signed is not unpacked: first manifest and signature, then the members that they list.
    """
    found: list[str] = []
    manifest = _kept(members, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        key.verify(base64.b64decode(_kept(members, SIGNATURE, MAX_SIGNATURE_BYTES)), signed_text(manifest))
    except (InvalidSignature, ValueError):
        return Verified([f"{SIGNATURE}: not a signature by this key over {MANIFEST}"], [])
    try:
        signed = json.loads(manifest)
        listed = {str(each["name"]): str(each["sha256"]) for each in signed["members"]}
    except (ValueError, RecursionError, KeyError, TypeError):
        return Verified([f"{MANIFEST}: not as a case file has it"], [])
    case: dict[str, Any] = {MANIFEST: signed}
    digests = _read_all(members, listed, case, found)
    changed = any(name.endswith(".json") and name not in case for name in listed)
    for name, check in _CHECKS:
        try:
            found.extend(f"{about}: {wrong}" for about, wrong in check(case, digests, key))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            if not changed:  # else what is absent has been named
                found.append(f"{name}: not as a case file has it")
    return Verified(found, _about(case))


def _about(case: Case) -> list[str]:
    lines = []
    for name in ("order", "made_at", "by", "reason"):
        try:
            lines.append(f"{name}: {case[MANIFEST][name]}")
        except (KeyError, TypeError):
            lines.append(f"{name}: not said")
    try:
        checkpoint = json.loads(case["proof.json"]["checkpoint"]["content"])
        lines.append(f"checkpoint: {checkpoint['number']}, made at {checkpoint['at']}")
    except (KeyError, TypeError, ValueError, RecursionError):
        lines.append("checkpoint: not said")
    return lines


def _kept(members: Members, name: str, limit: int) -> bytes:
    """A member's bytes; none where it is not there, does not open, or is longer than `limit`."""
    kept = bytearray()
    try:
        for piece in members.pieces(name) if name in members.names() else ():
            kept += piece
            if len(kept) > limit:
                return b""
    except Unusable:
        return b""
    return bytes(kept)


def _read_all(
    members: Members, listed: Mapping[str, str], case: dict[str, Any], found: list[str]
) -> dict[str, str]:
    """SHA-256 of every member but those that nobody signed; into `case` JSON that is what was signed."""
    digests = dict.fromkeys(members.names(), "")
    for name in (name for name in digests if name in listed):
        digest, kept, text = hashlib.sha256(), bytearray(), name.endswith(".json")
        try:
            for piece in members.pieces(name):
                digest.update(piece)
                kept += piece if text and len(kept) <= MAX_TEXT_BYTES else b""
        except Unusable as why:
            found.append(f"{name}: {why}")
        digests[name] = digest.hexdigest()
        if text and digests[name] == listed[name]:
            try:
                case[name] = json.loads(kept)
            except (ValueError, RecursionError):
                found.append(f"{name}: not JSON")
    return digests


def _members(case: Case, digests: Mapping[str, str], _: Ed25519PublicKey) -> Findings:
    manifest = case[MANIFEST]
    if manifest["schema"] != SCHEMA:
        yield MANIFEST, "another schema"
    listed = {each["name"]: each["sha256"] for each in manifest["members"]}
    names = {digest: name for name, digest in listed.items()}
    for name in sorted({*listed, *WANTED} - digests.keys()):
        yield name, "missing"
    for name in sorted(digests.keys() - {MANIFEST, SIGNATURE}):
        if name not in listed:
            yield name, "added; the manifest does not list it"
        elif digests[name] != listed[name]:
            other = names.get(digests[name])
            yield name, f"holds what belongs to {other}" if other else "changed"
    for name in sorted(case.keys() - {MANIFEST}):
        if case[name]["order"] != manifest["order"]:
            yield name, "is about another order"


def _chain(case: Case, _: Mapping[str, str], __: Ed25519PublicKey) -> Findings:
    chain, previous = case["order.json"]["order"], START
    for number, entry in enumerate(entries_of(case), start=1):
        linked = f"{previous}\n{chain}\n{number}\n{entry['content']}".encode()
        previous = hashlib.sha256(linked).hexdigest()
        if (entry["seq"], entry["hash"]) != (number, previous):
            yield "audit.json", f"the chain breaks at entry {number}"
            return
    by = case[MANIFEST]["by"]
    if not any(entry["event"] == "export.made" and entry["actor"] == by for entry in told(case)):
        yield "audit.json", "does not hold the making of this file"


def _media(case: Case, digests: Mapping[str, str], _: Ed25519PublicKey) -> Findings:
    objects = {each["sha256"]: each for each in case["evidence.json"]["objects"]}
    for name in (name for name in digests if name.startswith("media/")):
        if digests[name] not in objects or digests[name] not in name:
            yield name, "is not the evidence that its name says"
    for digest, each in objects.items():
        if each["member"] is not None and each["member"] not in digests:
            yield each["member"], f"missing, though evidence {digest[:12]}… says it is here"


def _proof(case: Case, _: Mapping[str, str], key: Ed25519PublicKey) -> Findings:
    """The chain stands in a tree over all chains (RFC 6962) whose root a checkpoint has signed."""
    proof, entries = case["proof.json"], entries_of(case)
    content = proof["checkpoint"]["content"]
    try:
        key.verify(bytes.fromhex(proof["checkpoint"]["signature"]), CHECKPOINT + content.encode())
    except (InvalidSignature, ValueError):
        yield "proof.json", "the checkpoint is not signed by this key"
    checkpoint, seq = json.loads(content), proof["seq"]
    if proof["chain"] != case[MANIFEST]["order"] or entries[seq - 1]["hash"] != proof["hash"] or seq < 1:
        yield "proof.json", "is about another chain, or another state of it"
    leaf = _hashed(0, f"{proof['chain']}\n{seq}\n{proof['hash']}".encode())
    path = [bytes.fromhex(each) for each in proof["path"]]
    if _root(leaf, proof["index"], checkpoint["chains"], path) != bytes.fromhex(checkpoint["root"]):
        yield "proof.json", "does not lead to the root of the checkpoint"


def _root(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2."""
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = _hashed(1, sibling + root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = _hashed(1, root + sibling)
        at, last = at >> 1, last >> 1
    return root if last == 0 and 0 <= index < size else None


def _hashed(kind: int, data: bytes) -> bytes:
    return hashlib.sha256(bytes([kind]) + data).digest()


def _facts(case: Case, _: Mapping[str, str], __: Ed25519PublicKey) -> Findings:
    return check_facts(case)


def _decisions(case: Case, _: Mapping[str, str], __: Ed25519PublicKey) -> Findings:
    return check_decisions(case)


_CHECKS = (
    (MANIFEST, _members),
    ("audit.json", _chain),
    ("proof.json", _proof),
    ("evidence.json", _media),
    ("facts.json", _facts),
    ("decisions.json", _decisions),
)
