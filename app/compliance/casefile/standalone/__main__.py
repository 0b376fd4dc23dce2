"""The command line of the stand-alone program; `app.cli.casefile_open` and `casefile_verify` use it too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .reading import open_file, read_case, read_key
from .sealed import Unusable
from .verifying import verify


def run(what: str, path: Path, key: Path | None, other: Path) -> int:
    """Opens into the folder `other`, or verifies by the public key `other`. 0 good, 1 differs, 2 unusable."""
    try:
        if what == "open":
            print(f"{open_file(path, key, other)} members in {other}; now verify it")
            return 0
        verified = verify(read_case(path, key), read_key(other, Ed25519PublicKey, load_pem_public_key))
    except (Unusable, OSError) as why:
        print(f"{path.name}: {why}", file=sys.stderr)
        return 2
    whole = ["nothing differs: signed by this key, whole, and in the audit trail"]
    print("\n".join(map(_shown, [*verified.about, *(verified.found or whole)])))
    return 1 if verified.found else 0


def _shown(line: str) -> str:
    """Whatever a forged file says commands no terminal."""
    return "".join(char if char.isprintable() else "?" for char in line)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="casefile", description="Opens and verifies case files")
    parser.add_argument("what", choices=("open", "verify"))
    parser.add_argument("file", type=Path, help="a case file; verify: or the folder it was opened into")
    parser.add_argument("--key", type=Path, help="the recipient's X25519 private key (PEM)")
    parser.add_argument("--out", type=Path, help="open: a folder that is not there yet")
    parser.add_argument("--public-key", type=Path, help="verify: the operator's audit key (Ed25519, PEM)")
    chosen = parser.parse_args(arguments)
    other = chosen.out if chosen.what == "open" else chosen.public_key
    if other is None:
        parser.error("open needs --out, verify needs --public-key")
    return run(chosen.what, chosen.file, chosen.key, other)


if __name__ == "__main__":
    sys.exit(main())
