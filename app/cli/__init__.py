"""The command line: each module here is one command, found by its name.

`serve.py` is `python -m app serve`; `evaluate_match.py` is `python -m app evaluate match`. A module has
`add_parser(subparsers)`, which adds and returns its parser, and `run(arguments)`, which returns the exit
status. A module keeps heavy imports inside `run`, so that `--help` stays quick.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

#: Words that have commands of their own below them.
GROUPS = {
    "audit": "the audit trail: checkpoints, export, verification",
    "database": "what the database's roles may do",
    "casefile": "the case file of an order for supervision: make, open, verify",
    "evaluate": "measure recognition and captures on folders of files",
    "gate": "look at decisions of the gate",
    "hold": "orders to stop: place, lift, list",
    "incident": "leaks, damage and loss of identity data: open, list, report",
    "keys": "make keys for production",
    "models": "face recognition models: list, install, verify",
    "privacy": "look for personal data in clear",
    "retention": "what must be destroyed: plan, run, prove",
    "service": "end a subscriber's service",
    "staff": "accounts of couriers, reviewers and operators",
    "sandbox": "stand-ins for outside systems, for development",
}


def command_modules() -> tuple[ModuleType, ...]:
    """Modules of this package that are commands, by name."""
    names = sorted(each.name for each in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names if not name.startswith("_"))
    return tuple(module for module in modules if hasattr(module, "add_parser"))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Activation of mailed SIM cards")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    groups: dict[str, Subparsers] = {}
    for module in command_modules():
        word, _, rest = module.__name__.rpartition(".")[2].partition("_")
        if rest and word in GROUPS:
            if word not in groups:
                group = commands.add_parser(word, help=GROUPS[word], description=GROUPS[word])
                groups[word] = group.add_subparsers(required=True, metavar="COMMAND")
            added = module.add_parser(groups[word])
        else:
            added = module.add_parser(commands)
        if isinstance(added, argparse.ArgumentParser) and hasattr(module, "run"):
            added.set_defaults(run=module.run)
    return parser


def _leave_no_dump() -> None:
    """A core dump would hold keys and people's data in clear; also of every process begun from here."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status. Mistakes of the installation are told without a traceback."""
    from sqlalchemy.exc import OperationalError

    from app.config import SettingsInvalid
    from app.keys import KeyUnusable
    from app.schema import RoleTooMighty, SchemaOutdated
    from app.storage_settings import StorageUnusable
    from logistics.carriers import CarriersInvalid
    from media.models.packs import ModelChanged, ModelMissing

    chosen = build_parser().parse_args(arguments)
    _leave_no_dump()
    try:
        status: int | None = chosen.run(chosen)
    except (
        SettingsInvalid,
        KeyUnusable,
        SchemaOutdated,
        RoleTooMighty,
        StorageUnusable,
        ModelMissing,
        ModelChanged,
    ) as mistake:
        print(mistake, file=sys.stderr)
        return 2
    except CarriersInvalid as mistake:
        print(f"KAIKA_CARRIERS_FILE: {mistake}", file=sys.stderr)
        return 2
    except OperationalError as fault:
        # Its own text would hold the statement and what was to be written.
        print(f"DATABASE_URL: {str(fault.orig).partition(chr(10))[0]}", file=sys.stderr)
        print("is it reachable, and its schema the newest? python -m app migrate", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status or 0
