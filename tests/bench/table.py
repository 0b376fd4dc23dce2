"""How results are printed: one line each, with its baseline of the same run and the ratio of the two."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def heading(title: str, about: str) -> None:
    print(f"\n{title}\n{'-' * len(title)}\n{about}", flush=True)


def line(what: str, ours: float, baseline: float, unit: str, note: str = "") -> None:
    """`ours` against `baseline`, in `unit`."""
    ratio = ours / baseline if baseline else float("nan")
    print(
        f"  {what:<34} {ours:9.1f} {unit:<5} baseline {baseline:9.1f}  ratio {ratio:5.2f}  {note}", flush=True
    )


def alone(what: str, value: float, unit: str, note: str = "") -> None:
    """A number without a baseline."""
    print(f"  {what:<34} {value:9.1f} {unit:<5} {note}", flush=True)


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation; the single value of one."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
