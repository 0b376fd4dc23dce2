"""`python -m app audit key`: the public half of the audit key, to be published."""

from __future__ import annotations

import argparse
import sys

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    return subparsers.add_parser("key", help="print the public audit key (PEM)", description=__doc__)


def run(_arguments: argparse.Namespace) -> int:
    from app.compliance.audit.signed import key_id, public_pem
    from app.config import load_settings
    from app.keys import load_audit_key

    public = load_audit_key(load_settings()).public_key()
    print(public_pem(public), end="")
    print(f"key {key_id(public)}", file=sys.stderr)
    return 0
