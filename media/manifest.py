"""The key file of an object: its label and its wrapped data key. Whoever has no key file has no object.

Found by the digest of the clear bytes, the same in every adapter of the vault.
"""

from __future__ import annotations

import base64
import binascii
import json

from activation.ids import Digest, OrderId
from media.envelope import Label
from media.vault import EvidenceUnreadable

MAX_KEY_FILE_BYTES = 4096


def write_key_file(label: Label, wrapped: bytes) -> bytes:
    """The bytes of the key file."""
    record = {
        "kind": label.kind,
        "media_type": label.media_type,
        "size": label.size,
        "name": label.name,
        "wrapped": base64.b64encode(wrapped).decode(),
    }
    return json.dumps(record).encode()


def read_key_file(order: OrderId, digest: Digest, content: bytes) -> tuple[Label, bytes]:
    """What a key file says, not yet proven by its wrapped key. Raises EvidenceUnreadable.

    Order and digest are those asked for, so a key file that was moved or renamed does not unwrap.
    """
    try:
        stored = json.loads(content[:MAX_KEY_FILE_BYTES])
        label = Label(
            order,
            digest,
            str(stored["kind"]),
            str(stored["media_type"]),
            int(stored["size"]),
            str(stored["name"]),
        )
        return label, base64.b64decode(stored["wrapped"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise EvidenceUnreadable("a key file was changed") from None
