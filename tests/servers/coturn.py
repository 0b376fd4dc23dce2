"""A real coturn on a free port of this machine, with time-limited credentials."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import ifaddr

MISSING = "coturn is not installed (Debian package coturn)"
NO_ADDRESS = "this machine has no address but loopback, which a relay does not serve"
SECRET = b"a secret of the tests"
START_SECONDS = 10.0


def installed() -> bool:
    return shutil.which("turnserver") is not None


def own_address() -> str | None:
    """The first IPv4 address that is not loopback."""
    addresses = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str))
    return next((each for each in addresses if not each.startswith("127.")), None)


class CoturnServer:
    """One coturn; `start` it and `stop` it."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._port = _free_port(address)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, transport: str = "udp") -> str:
        return f"turn:{self._address}:{self._port}?transport={transport}"

    def start(self) -> None:
        log = (self._folder / "coturn.log").open("wb")
        self._process = subprocess.Popen(
            [
                "turnserver",
                "-n",
                "--use-auth-secret",
                f"--static-auth-secret={SECRET.decode()}",
                "--realm=kaika.test",
                f"--listening-ip={self._address}",
                f"--relay-ip={self._address}",
                f"--listening-port={self._port}",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--log-file=stdout",
                f"--pidfile={self._folder / 'coturn.pid'}",
                f"--userdb={self._folder / 'coturn.db'}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self._wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def _wait(self) -> None:
        """Until it listens on TCP, which it opens after UDP."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex((self._address, self._port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("coturn did not start")


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
