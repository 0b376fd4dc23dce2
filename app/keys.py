"""Keys from files; in development a missing one is made under the data folder, readable by its owner only.

Field, index and vault keys: 32 bytes in base64. Token and audit keys: Ed25519 private keys, PKCS#8 PEM
without a password. `python -m app keys make FOLDER` makes a set for production.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from activation.adapters.sql.fields import FieldKeys
from app.config import Settings
from app.key_settings import KeyServiceChoice
from media.folders import sync, sync_folder

KEY_BYTES = 32
#: Permission bits that let somebody other than the owner read or write.
_OTHERS = 0o077


class KeyUnusable(Exception):
    """A key file is missing, malformed, weak or open to others; named by its variable."""


@dataclass(frozen=True, repr=False)
class Keys:
    """fields: columns of no order, and keyed hashes. token: signs JWTs. vault: wraps the orders' keys.

    vault is None where KMS wraps them and no file ever did. audit: signs checkpoints of the audit trail, and
    case files. former_vaults still unwrap, former_tokens still verify.
    """

    fields: FieldKeys
    token: Ed25519PrivateKey
    vault: bytes | None
    audit: Ed25519PrivateKey
    former_vaults: tuple[bytes, ...] = ()
    former_tokens: tuple[Ed25519PublicKey, ...] = ()


def load_keys(settings: Settings) -> Keys:
    """All keys; makes missing ones in development. Raises KeyUnusable."""
    files, made = settings.keys, settings.data_dir / "keys"
    current = _symmetric("KAIKA_FIELD_KEY_FILE", files.field, made / "field.key", settings)
    index = _symmetric("KAIKA_INDEX_KEY_FILE", files.index, made / "index.key", settings)
    vault = _vault_key(settings, made / "vault.key")
    if vault in (current, index) or current == index:
        raise KeyUnusable("KAIKA_FIELD_KEY_FILE, KAIKA_INDEX_KEY_FILE, KAIKA_VAULT_KEY_FILE: must differ")
    former_fields = _former("KAIKA_FORMER_FIELD_KEY_FILES", files.former_fields, settings)
    token = _signing("KAIKA_TOKEN_KEY_FILE", files.token, made / "token.pem", settings)
    return Keys(
        FieldKeys(current, index, former_fields),
        token,
        vault,
        load_audit_key(settings),
        _former("KAIKA_FORMER_VAULT_KEY_FILES", files.former_vaults, settings),
        tuple(_verifying("KAIKA_FORMER_TOKEN_KEY_FILES", path) for path in files.former_tokens),
    )


def load_audit_key(settings: Settings) -> Ed25519PrivateKey:
    """The audit key alone; made in development. Raises KeyUnusable."""
    made = settings.data_dir / "keys" / "audit.pem"
    return _signing("KAIKA_AUDIT_KEY_FILE", settings.keys.audit, made, settings)


def make_keys(folder: Path) -> tuple[Path, ...]:
    """A new set in `folder`, which must hold none yet. Returns the files made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [write_secret(folder / name, new_symmetric()) for name in ("field.key", "index.key", "vault.key")]
    return (*made, *(write_secret(folder / name, new_signing_key()) for name in ("token.pem", "audit.pem")))


def new_symmetric() -> bytes:
    return base64.b64encode(os.urandom(KEY_BYTES)) + b"\n"


def new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_secret(path: Path, content: bytes) -> Path:
    """A new file with mode 0600, whole or not at all, on stable storage. What is sealed under a key that a
    power cut took is lost. Raises FileExistsError rather than lose a key.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        sync(file)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)
    return path


def read_secret(variable: str, path: Path, *, private: bool) -> bytes:
    """A secret's file, stripped. private: nobody but the owner may read it. Raises KeyUnusable."""
    try:
        content = path.read_bytes().strip()
        open_to_others = path.stat().st_mode & _OTHERS
    except OSError:
        raise KeyUnusable(f"{variable}: the file cannot be read") from None
    if private and open_to_others:
        raise KeyUnusable(f"{variable}: the file is open to others; chmod 600")
    if not content:
        raise KeyUnusable(f"{variable}: the file is empty")
    return content


def _symmetric(variable: str, chosen: Path | None, made: Path, settings: Settings) -> bytes:
    return _read_symmetric(variable, _present(variable, chosen, made, settings, new_symmetric), settings)


def _read_symmetric(variable: str, path: Path, settings: Settings) -> bytes:
    try:
        key = base64.b64decode(read_secret(variable, path, private=settings.production), validate=True)
    except binascii.Error:
        raise KeyUnusable(f"{variable}: the file is not base64") from None
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"{variable}: the key is not {KEY_BYTES} bytes long")
    if len(set(key)) < KEY_BYTES // 4:
        raise KeyUnusable(f"{variable}: the key is not random")
    return key


def _former(variable: str, paths: tuple[Path, ...], settings: Settings) -> tuple[bytes, ...]:
    return tuple(_read_symmetric(variable, path, settings) for path in paths)


def _vault_key(settings: Settings, made: Path) -> bytes | None:
    """The key-encryption key of files; with KMS only where one is named, or was made before."""
    variable, chosen = "KAIKA_VAULT_KEY_FILE", settings.keys.vault
    if settings.key_service.service is KeyServiceChoice.FILE:
        return _symmetric(variable, chosen, made, settings)
    if chosen is None and not settings.production and made.is_file():
        chosen = made
    return None if chosen is None else _read_symmetric(variable, chosen, settings)


def _verifying(variable: str, path: Path) -> Ed25519PublicKey:
    """A public key; of a private one only its public half is kept."""
    pem = read_secret(variable, path, private=False)
    try:
        key = load_pem_public_key(pem) if b"PUBLIC" in pem else load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise KeyUnusable(f"{variable}: the file is not a PEM key without a password") from None
    if isinstance(key, Ed25519PrivateKey):
        key = key.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(f"{variable}: the key is not Ed25519")
    return key


def _signing(variable: str, chosen: Path | None, made: Path, settings: Settings) -> Ed25519PrivateKey:
    path = _present(variable, chosen, made, settings, new_signing_key)
    try:
        key = load_pem_private_key(read_secret(variable, path, private=settings.production), password=None)
    except (ValueError, TypeError):
        raise KeyUnusable(f"{variable}: the file is not a PEM private key without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{variable}: the key is not Ed25519")
    return key


def _present(
    variable: str, chosen: Path | None, made: Path, settings: Settings, make: Callable[[], bytes]
) -> Path:
    if chosen is not None:
        return chosen
    if settings.production:
        raise KeyUnusable(f"{variable}: production makes no keys; name the file of one")
    made.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        write_secret(made, make())
        sync_folder(made.parent.parent)
    except FileExistsError:
        pass  # made at an earlier start, or by another process just now
    return made
