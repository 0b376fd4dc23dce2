"""All repositories of the activation room, as one value that can be handed on."""

from __future__ import annotations

from dataclasses import dataclass, field

from activation.adapters.sql.checks import Checks
from activation.adapters.sql.decisions import Decisions
from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.holds import Holds
from activation.adapters.sql.numbers import Numbers
from activation.adapters.sql.orders import Orders
from activation.adapters.sql.quota import Quota
from activation.adapters.sql.sims import Sims


@dataclass(frozen=True)
class Store:
    """Repositories hold nothing; each call gets the session, and with it the transaction, it works in."""

    numbers: Numbers = field(default_factory=Numbers)
    orders: Orders = field(default_factory=Orders)
    sims: Sims = field(default_factory=Sims)
    quota: Quota = field(default_factory=Quota)
    facts: FactLog = field(default_factory=FactLog)
    decisions: Decisions = field(default_factory=Decisions)
    checks: Checks = field(default_factory=Checks)
    holds: Holds = field(default_factory=Holds)
