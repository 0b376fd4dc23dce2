"""A font with Chinese characters: the package's, so that cards look alike everywhere, else the system's."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from PIL import ImageFont

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_PATTERNS = (
    "**/NotoSansCJK-Regular.ttc",
    "**/NotoSansSC-Regular.*",
    "**/SourceHanSans*-Regular.*",
    "**/wqy-*.ttc",
)
_PACKAGED = "mplfonts/fonts/NotoSansCJKsc-Regular.otf"
_SIMPLIFIED = "Noto Sans CJK SC"
_FC_MATCH_SECONDS = 10


class FontMissing(RuntimeError):
    """No font with Chinese characters is installed."""

    def __init__(self) -> None:
        super().__init__(
            "the studio draws identity cards and needs a font with Chinese characters; "
            "install the group studio of the lock, or the Debian package fonts-noto-cjk"
        )


@lru_cache(maxsize=64)
def chinese(pixels: int) -> ImageFont.FreeTypeFont:
    """The font at a height of `pixels`. Raises `FontMissing`."""
    path, index = _locate()
    return ImageFont.truetype(str(path), pixels, index=index)


@lru_cache(maxsize=1)
def _locate() -> tuple[Path, int]:
    found = _packaged() or _installed() or _ask_fontconfig()
    if found is None:
        raise FontMissing
    return found, _simplified_face(found)


def _packaged() -> Path | None:
    """Of the distribution `mplfonts`, whose code is never imported."""
    try:
        path = Path(str(distribution("mplfonts").locate_file(_PACKAGED)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def _installed() -> Path | None:
    for pattern in _PATTERNS:
        for folder in _FOLDERS:
            for path in sorted(folder.glob(pattern)):
                return path
    return None


def _ask_fontconfig() -> Path | None:
    command = shutil.which("fc-list")
    if command is None:
        return None
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        [command, "--format=%{file}\n", ":lang=zh-cn"],
        capture_output=True,
        text=True,
        timeout=_FC_MATCH_SECONDS,
        check=False,
    )
    paths = sorted(Path(line) for line in listed.stdout.splitlines() if line)
    return next((path for path in paths if path.is_file()), None)


def _simplified_face(path: Path) -> int:
    """Index of the face with mainland shapes in a collection; 0 where there is no choice."""
    for index in range(16):
        try:
            if ImageFont.truetype(str(path), 10, index=index).getname()[0] == _SIMPLIFIED:
                return index
        except OSError:
            break
    return 0
