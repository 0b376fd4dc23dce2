"""The studio makes people who do not exist; a production server must never load it."""

from __future__ import annotations

PRODUCTION = "production"


class StudioInProduction(RuntimeError):
    """The studio was asked for in production mode."""

    def __init__(self) -> None:
        super().__init__("the studio draws fictional applicants and is not available in production mode")


def refuse_in_production(mode: str) -> None:
    """Raise `StudioInProduction` where `mode` is "production"."""
    if mode.strip().lower() == PRODUCTION:
        raise StudioInProduction
