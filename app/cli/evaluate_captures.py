"""`evaluate captures`: every file of a folder through the capture path, with its time and memory."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from app.cli import Subparsers
from app.cli.models_list import add_models_dir, models_dir


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "captures",
        help="run every file of a folder through the capture path",
        description="Reads each file as a capture in a worker process (ID front, unless its name says back, "
        "handheld or selfie) and reports accepted or the refusal's code, seconds and peak memory. "
        "Exit status 1 where a file took over 3 seconds or 600 MB.",
    )
    parser.add_argument("--dir", type=Path, required=True, help="folder with pictures, broken ones too")
    parser.add_argument("--json", type=Path, required=True, dest="out", help="where the report is written")
    parser.add_argument("--recogniser", default="dlib", help="recogniser for the faces (default: dlib)")
    add_models_dir(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from media.captures.engines import open_engines
    from media.captures.evaluate import evaluate_captures

    if not arguments.dir.is_dir():
        print(f"no such folder: {arguments.dir}", file=sys.stderr)
        return 2
    engines = partial(open_engines, arguments.recogniser, models_dir(arguments))
    return 0 if evaluate_captures(arguments.dir, arguments.out, engines) else 1
