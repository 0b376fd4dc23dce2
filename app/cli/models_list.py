"""`python -m app models list`: which recognisers there are, and which are installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("list", help="recognisers that exist, and which are installed")
    add_models_dir(parser)
    return parser


def add_models_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models-dir", type=Path, help="instead of KAIKA_MODELS_DIR")


def models_dir(arguments: argparse.Namespace) -> Path:
    """The folder asked for, or the one in the settings."""
    if arguments.models_dir is not None:
        return Path(arguments.models_dir)
    from app.config import load_settings

    return load_settings().models_dir


def run(arguments: argparse.Namespace) -> int:
    from media.models.packs import ModelChanged, find_installed, installed_names
    from media.models.registry import RECOGNISERS, UNMEASURED

    folder = models_dir(arguments)
    there = installed_names(folder)
    for name in [*RECOGNISERS, *(n for n in there if n not in RECOGNISERS)]:
        known = RECOGNISERS.get(name)
        thresholds = known.thresholds if known is not None else UNMEASURED
        state = "installed" if name in there else "not installed"
        licence = known.licence if known is not None else ""
        if name in there:
            try:
                installed = find_installed(name, folder)
            except ModelChanged as changed:
                print(f"{name}\n  {changed}")
                continue
            state = f"installed, checksum vouched for by {installed.pinned_by.value}: {installed.ref.sha256}"
            thresholds, licence = installed.thresholds, installed.licence
        measured = "" if known is not None and known.figures else ", not measured"
        print(f"{name}\n  {state}\n  licence: {licence}")
        print(f"  thresholds: accept {thresholds.accept}, refuse {thresholds.refuse}{measured}")
    return 0
