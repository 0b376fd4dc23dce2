"""A PostgreSQL cluster of the tests' own: a temporary folder, a free port, never as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

from tests.servers.ports import free_port

MISSING = "PostgreSQL is not installed (Debian package postgresql)"


def binaries() -> Path | None:
    """The newest installed version's programs; None: not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class PostgresCluster:
    """Started once per test session; each test gets a database of its own."""

    def __init__(self) -> None:
        programs = binaries()
        if programs is None:
            raise RuntimeError(MISSING)
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="kaika-pg-"))
        self.port = free_port()

    def start(self, durable: bool = False) -> None:
        """durable: commits reach the disk, as in production; tests do without."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        self._folder.chmod(0o700)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "kaika", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} "
            "-c max_connections=200 -c shared_buffers=64MB"
        )
        if not durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        self._run(
            "pg_ctl", "-D", data, "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self, template: str = "template1") -> str:
        """Name of a new database."""
        name = f"kaika_{uuid.uuid4().hex[:12]}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database: str) -> str:
        return f"postgresql://kaika@127.0.0.1:{self.port}/{database}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')[-500:]}")
