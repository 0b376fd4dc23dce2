"""No library of ours reports home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Prints what the C library finds at the moment when ONNX Runtime is first imported.
WATCH = """
import ctypes, importlib, sys
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print("loaded with", getenv(b"ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
"""


@pytest.mark.parametrize(
    "work",
    [
        "from media.documents.ocr import TextReader; TextReader()",
        "import media.faces.arcface; import onnxruntime",
    ],
)
def test_onnx_runtime_keeps_to_itself(work: str, tmp_path: Path) -> None:
    environ = {
        name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCH + work],
        cwd=Path(__file__).parents[2],
        env={**environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "loaded with b'1'"
    assert [path for path in tmp_path.rglob("*") if path.name in (".ses", ".onnxruntime")] == []
