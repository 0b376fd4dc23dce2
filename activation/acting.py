"""Who acts: named once where a request, a mission or a command begins, and read where a change is recorded.

Follows the task (a context variable), so that no function in between has to hand it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SYSTEM = "system"

_actor: ContextVar[str] = ContextVar("actor", default=SYSTEM)


def acting() -> str:
    """`applicant`, staff id, `carrier:NAME`, `mission:NAME`, `command:NAME`, `system`; nothing personal."""
    return _actor.get()


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Within the block, and in tasks begun in it, changes are `actor`'s."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
