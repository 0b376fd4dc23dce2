"""`python -m app models verify`: reads every installed recogniser and compares its checksum."""

from __future__ import annotations

import argparse

from app.cli import Subparsers
from app.cli.models_list import add_models_dir, models_dir


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("verify", help="compare the checksums of what is installed")
    add_models_dir(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from media.models.packs import ModelChanged, ModelMissing, find_installed, installed_names, verify

    folder = models_dir(arguments)
    wrong = 0
    for name in installed_names(folder):
        try:
            installed = find_installed(name, folder)
            verify(installed)
        except (ModelMissing, ModelChanged) as error:
            wrong += 1
            print(f"{name}: {error}")
        else:
            print(f"{name}: good, {installed.ref.sha256}")
    return 1 if wrong else 0
