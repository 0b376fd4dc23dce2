"""`python -m app models install NAME`: installs a recogniser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.cli import Subparsers
from app.cli.models_list import add_models_dir, models_dir

_STEP = 5
"""Percent between two lines of progress where the output is no terminal."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("install", help="download a recogniser, or take it from a file")
    parser.add_argument(
        "pack", nargs="?", help="sface, auraface, buffalo_l, …; or custom with --from and --name"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, help="a model file, archive or folder; no network"
    )
    parser.add_argument("--name", help="name for an operator's own ArcFace-type model")
    parser.add_argument("--url", help="a mirror to download from; the checksum stays the same")
    parser.add_argument("--sha256", help="checksum of an operator's own model")
    parser.add_argument("--accept-licence", action="store_true", help="where the licence asks for it")
    add_models_dir(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from media.models.install import InstallRefused, Refusal, Request, install
    from media.models.packs import PinnedBy
    from media.models.registry import RECOGNISERS

    own = arguments.pack in (None, "custom")
    name = arguments.name if own else arguments.pack
    if name is None:
        print("which one? see: python -m app models list", file=sys.stderr)
        return 2
    known = RECOGNISERS.get(name)
    if known is not None:
        print(f"{name}: licence: {known.licence}")
    asked = Request(name, arguments.source, arguments.url, arguments.sha256, arguments.accept_licence)
    done = install(asked, models_dir(arguments), _Shown(name), _probe)
    if isinstance(done, InstallRefused):
        print(f"{name}: not installed, {done.reason.value}: {done.detail}", file=sys.stderr)
        if done.reason is Refusal.LICENCE_NOT_ACCEPTED:
            print("if you may use it under this licence, add --accept-licence", file=sys.stderr)
        if done.reason is Refusal.NOT_DOWNLOADED:
            print("without a network: --from FILE, archive or folder", file=sys.stderr)
        return 1
    print(f"{name}: installed, {done.size} bytes, SHA-256 {done.sha256}")
    if done.pinned_by is PinnedBy.FIRST_USE:
        print("nobody vouches for this checksum; it was written down now and is checked from now on")
    return 0


def _probe(path: Path) -> None:
    """Opens the file as a recogniser; raises ValueError where it is none."""
    from media.faces.recognisers import open_file

    open_file(path, "probe")


class _Shown:
    """Progress on standard error: one line that changes on a terminal, else a line every few percent."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 0

    def __call__(self, here: int, total: int | None) -> None:
        percent = 100 * here // total if total else 0
        if percent < self._next and here != total:
            return
        self._next = percent + (1 if sys.stderr.isatty() else _STEP)
        end = "\r" if sys.stderr.isatty() and here != total else "\n"
        print(f"{self._name}: {here / 1e6:.1f} of {(total or 0) / 1e6:.1f} MB", end=end, file=sys.stderr)
