"""Free addresses for servers that tests start."""

from __future__ import annotations

import os
import random
import socket
import time


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def free_loopback(*ports: int) -> str:
    """An address in 127.0.0.0/8 on which all of `ports` are free; for servers whose ports are fixed."""
    dice = random.Random(os.urandom(8))
    for _ in range(100):
        host = f"127.{dice.randint(1, 254)}.{dice.randint(0, 254)}.{dice.randint(1, 254)}"
        try:
            for port in ports:
                with socket.socket() as probe:
                    probe.bind((host, port))
        except OSError:
            continue
        return host
    raise RuntimeError("no loopback address has these ports free")


def wait_until_listening(host: str, port: int, seconds: float = 15.0) -> None:
    """Raises TimeoutError where nobody listens in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((host, port), timeout=0.5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
