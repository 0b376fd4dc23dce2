"""The stand-alone program as one file, `casefile.pyz`, for whoever supervises."""

from __future__ import annotations

import zipfile
from pathlib import Path

import app.compliance.casefile.standalone as standalone

_MAIN = "import sys\nfrom standalone.__main__ import main\nsys.exit(main())\n"
_DATE = (2026, 1, 1, 0, 0, 0)  # the same sources give the same bytes


def write_tool(target: Path) -> None:
    """`python casefile.pyz open|verify …`. Raises FileExistsError, OSError."""
    folder = Path(standalone.__file__).parent
    sources = {f"standalone/{path.name}": path.read_text() for path in sorted(folder.glob("*.py"))}
    with target.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in {"__main__.py": _MAIN, **sources}.items():
            packed.writestr(zipfile.ZipInfo(name, _DATE), text)
