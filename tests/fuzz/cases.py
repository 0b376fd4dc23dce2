"""Cases for one operation and one caller, and what is wrong with the answers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.callers import FuzzCaller

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
#: Share of cases whose path names something that is there.
REAL = 0.6
REQUEST_SECONDS = 30.0
ENDS_TOKENS = "/v1/token/revocation"
SHOWN = 600
REMEMBERED = 8
#: The applicant's own; other orders would be somebody else's.
KEPT = frozenset({"order_id"})

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Objects = dict[str, list[str]]
"""Path variables and what they may name."""


@dataclass
class Tally:
    """What was asked and answered."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: dict[str, Counter[int]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def fault(self, where: str, what: str) -> None:
        self.faults.setdefault(f"{where}: {what.splitlines()[0][:160]}", what[:SHOWN])


def operations(document: dict[str, Any], base: str) -> list[Operation]:
    """Everything that the description names."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=base)
    found = []
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        found.append(result.ok())
    return found


def fuzz(
    operation: Operation,
    caller: FuzzCaller,
    objects: Objects,
    cases: int,
    start: int,
    tally: Tally,
) -> None:
    """`cases` cases, half of them as described and half of them not; every fault goes into `tally`."""
    chance = random.Random(start)
    where = f"{operation.method.upper()} {operation.path} as {caller.role}"
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(start)
        @settings(
            max_examples=max(1, cases // 2),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            _ask(case, caller, objects, chance, where, tally)

        try:
            ask()
        except Exception as error:  # nothing wrong can be generated for an operation without inputs
            if "unsatisf" not in type(error).__name__.lower() and "negat" not in str(error).lower():
                tally.fault(where, f"{type(error).__name__}: {error}")


def _remember(made: object, objects: Objects) -> None:
    """What was made can be named from now on."""
    for name, value in made.items() if isinstance(made, dict) else ():
        if name.endswith("_id") and isinstance(value, str) and name not in KEPT:
            known = objects.setdefault(name, [])
            known[:] = [*known[-REMEMBERED:], value]


def _ask(
    case: schemathesis.Case[Any],
    caller: FuzzCaller,
    objects: Objects,
    chance: random.Random,
    where: str,
    tally: Tally,
) -> None:
    if case.operation.path == ENDS_TOKENS:
        caller = caller.fresh()
    if case.path_parameters and chance.random() < REAL:
        for name in case.path_parameters:
            if objects.get(name):
                case.path_parameters[name] = chance.choice(objects[name])
    answer = case.call(headers=caller.headers(chance), session=caller.session, timeout=REQUEST_SECONDS)
    tally.cases += 1
    tally.statuses[answer.status_code] += 1
    tally.reached.setdefault(where, Counter())[answer.status_code] += 1
    if answer.status_code == 500:
        tally.fault(where, f"500\n{case.as_curl_command()}\n{answer.text}")
    if answer.status_code == 201:
        _remember(answer.json(), objects)
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        tally.fault(where, f"{answer.status_code} {failure}\n{case.as_curl_command()}\n{answer.text}")
