"""`make serve`: the development server made ready for people with phones in the same network.

TLS with a certificate of our own, a sandbox registry beside it, and on the first start staff, SIM cards and
numbers, with passwords that are shown once.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import segno
import sqlalchemy as sa

from app.access.principals import Role
from app.access.staff import NewAccount
from app.config import Settings, TlsSettings
from app.demo.stock import fictional_stock
from app.environment import LOOPBACK
from app.selfsigned import certificate_for, lan_address
from app.services import Services
from app.tables import StaffRow
from logistics.stock import import_numbers, import_sims

PORT = 8443
GRACE_SECONDS = 5.0
STOCK = 200
PASSWORD_BYTES = 15
ACCOUNTS = (
    ("operator-1", Role.OPERATOR),
    ("courier-1", Role.COURIER),
    ("reviewer-1", Role.REVIEWER),
    ("reviewer-2", Role.REVIEWER),
)


def for_people(settings: Settings, port: int | None) -> Settings:
    """`settings` with an address that phones reach and a certificate. Raises ValueError in production."""
    if settings.production:
        raise ValueError("--people is for development")
    address, port = lan_address(), port or PORT
    certificate, key = certificate_for(address, settings.data_dir / "tls")
    return replace(
        settings,
        host="0.0.0.0",  # noqa: S104 - phones in the same network are meant
        port=port,
        base_url=f"https://{address}:{port}",
        tls=TlsSettings(certificate, key),
    )


@contextlib.contextmanager
def sandbox_registry(settings: Settings) -> Iterator[None]:
    """The sandbox registry as a child process, where the settings look for it on this machine."""
    address = urlsplit(settings.registry_url)
    if address.hostname not in LOOPBACK:
        yield
        return
    port = str(address.port or 80)
    command = [sys.executable, "-m", "app", "sandbox", "registry", "--port", port]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        child.kill()


async def furnish(services: Services) -> dict[str, str]:
    """On the first start: accounts, cards, numbers. The passwords by name; empty later on."""
    async with services.readers() as session:
        if await session.scalar(sa.select(sa.func.count()).select_from(StaffRow)):
            return {}
    passwords = {name: secrets.token_urlsafe(PASSWORD_BYTES) for name, _ in ACCOUNTS}
    for name, role in ACCOUNTS:
        carrier = services.logistics.shipping.carrier if role is Role.COURIER else None
        async with services.sessions.begin() as session:
            await services.staff.create(session, NewAccount(name, passwords[name], role, carrier))
    stock = fictional_stock(STOCK)
    await import_sims(services.sessions, stock.cards_csv(), "development", services.clock())
    await import_numbers(services.sessions, stock.numbers_csv(), "")
    return passwords


def welcome(settings: Settings, passwords: dict[str, str]) -> None:
    """Addresses, QR code and, on the first start, passwords; to the terminal only."""
    base = settings.base_url
    print(f"\nKaika serves {base}")
    for what, where in (
        ("phone page", f"{base}/activate"),
        ("API", f"{base}/docs"),
        ("messages", f"{base}/sandbox/messages?to=PHONE"),
        ("data", settings.data_dir.resolve()),
    ):
        print(f"  {what:<12} {where}")
    print("The certificate is our own: the phone asks once whether to trust it.\n")
    segno.make(f"{base}/activate", error="m").terminal(compact=True, border=2)
    if passwords:
        print("\nStaff, made now; the passwords are shown this once:")
        for name, password in passwords.items():
            print(f"  {name:<12} {password}")
    print("\nStop with Ctrl-C.", flush=True)
