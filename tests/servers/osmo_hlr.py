"""A real osmo-hlr: its ports are fixed, so each one gets a loopback address of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.servers.ports import free_loopback, wait_until_listening

MISSING = "osmo-hlr is not installed (Debian package osmo-hlr)"
VTY_PORT, CTRL_PORT, GSUP_PORT = 4258, 4259, 4222

_CONFIG = """\
log stderr
 logging level main notice
line vty
 bind {host}
ctrl
 bind {host}
hlr
 gsup
  bind ip {host}
"""


def installed() -> bool:
    return shutil.which("osmo-hlr") is not None


class OsmoHlrServer:
    """One process over one database file; may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = free_loopback(VTY_PORT, CTRL_PORT, GSUP_PORT)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where the CTRL interface listens."""
        return self.host, CTRL_PORT

    def start(self) -> None:
        config = self._folder / "osmo-hlr.cfg"
        config.write_text(_CONFIG.format(host=self.host))
        with (self._folder / "osmo-hlr.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["osmo-hlr", "-c", str(config), "-l", str(self._folder / "hlr.db")],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until_listening(*self.address)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
