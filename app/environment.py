"""How one variable of the environment becomes a value, or a problem that names the variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

T = TypeVar("T")

#: Loopback names, for which a browser treats plain HTTP as a secure context.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_PORT = 65_535


class Reader:
    """Takes one variable after another and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: set[str] = set()
        self.problems: list[str] = []

    def given(self, name: str) -> bool:
        """Whether the variable is set to anything."""
        return bool(self._environ.get(name, "").strip())

    def take(self, name: str, parse: Callable[[str], T], default: T, *, wanted: bool = False) -> T:
        """The parsed value; `default` where it is unset or empty (a problem if `wanted`) or wrong."""
        self._known.add(name)
        raw = self._environ.get(name, "").strip()
        if not raw:
            if wanted:
                self.problems.append(f"{name}: must be set here")
            return default
        try:
            return parse(raw)
        except ValueError as error:
            self.problems.append(f"{name}: {_explain(parse, error)}")
            return default
        except OSError:  # a folder on the way that may not be entered, a name that is too long
            self.problems.append(f"{name}: cannot be read")
            return default

    def refuse_unknown(self) -> None:
        """A misspelt variable would otherwise be a default that nobody chose."""
        for name in sorted(self._environ):
            if name.startswith("KAIKA_") and name not in self._known | NOT_SETTINGS:
                self.problems.append(f"{name}: no such setting")


#: Read by tests and scripts, not by the server.
NOT_SETTINGS = frozenset({"KAIKA_SHARED"})


def _explain(parse: Callable[[str], object], error: ValueError) -> str:
    if isinstance(parse, type) and issubclass(parse, StrEnum):
        return "must be one of " + ", ".join(parse)
    return str(error)


def port(raw: str) -> int:
    if not raw.isdigit() or int(raw) > MAX_PORT:
        raise ValueError(f"must be a port, 0 to {MAX_PORT}")
    return int(raw)


def count(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isdigit() or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number, {low} to {high}")
        return int(raw)

    return parse


def word(raw: str) -> str:
    if not raw.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(raw) > 64:
        raise ValueError("must be letters, digits, '-', '_' or '.', at most 64")
    return raw


def carrier(raw: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", raw) is None:
        raise ValueError("must be a small letter, then small letters, digits, '_' or '-', at most 32")
    return raw


def yes_or_no(raw: str) -> bool:
    if raw.lower() not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return raw.lower() == "yes"


def level(raw: str) -> str:
    if raw.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return raw.upper()


def listed(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def folder(raw: str) -> Path:
    path = Path(raw)
    if path.exists() and not path.is_dir():
        raise ValueError("names something that is no folder")
    return path


def peers(raw: str) -> tuple[str, ...]:
    """Addresses as the socket names its peer."""
    try:
        return tuple(str(ip_address(each)) for each in listed(raw))
    except ValueError:
        raise ValueError("must be IP addresses, not names or networks, separated by commas") from None


def file(raw: str) -> Path | None:
    path = Path(raw)
    if not path.is_file():
        raise ValueError("names no file")
    return path


def files(raw: str) -> tuple[Path, ...]:
    return tuple(path for part in listed(raw) if (path := file(part)))


def host_and_port(raw: str) -> tuple[str, int]:
    host, _, number = raw.rpartition(":")
    if not host:
        raise ValueError("must be HOST:PORT")
    return host.strip("[]"), port(number)


def web_address(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address without user, query and fragment")
    return raw.rstrip("/")


def https_address(raw: str) -> str:
    address = web_address(raw)
    if not is_https(address) and urlsplit(address).hostname not in LOOPBACK:
        raise ValueError("must be an https:// address")
    return address


def database_address(raw: str) -> str:
    if not raw.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    try:
        named = bool(make_url(raw).database)
    except (ValueError, ArgumentError):
        named = False
    if not named:  # the fault's own text may hold the password
        raise ValueError("must name SQLite's file, or PostgreSQL's host and database")
    return raw


def ice_addresses(scheme: str) -> Callable[[str], tuple[str, ...]]:
    def parse(raw: str) -> tuple[str, ...]:
        urls = listed(raw)
        if not all(url.startswith((f"{scheme}:", f"{scheme}s:")) for url in urls):
            raise ValueError(f"must be {scheme}: or {scheme}s: addresses, separated by commas")
        return urls

    return parse


def is_https(url: str) -> bool:
    return urlsplit(url).scheme == "https"
