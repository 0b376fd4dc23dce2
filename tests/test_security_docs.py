"""The pages about security leave no requirement out and name only what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/security-model.md", "docs/asvs.md")
STATES = {"met", "partly", "not met", "operator", "n/a"}
#: How many requirements of levels 1 and 2 each section of ASVS 5.0 has; they stand first in every section.
SECTIONS = {
    **{"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1},
    **{"3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4},
    **{"5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5},
    **{"6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2},
    **{"8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11},
    **{"10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1},
    **{"12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4},
    **{"14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3},
    **{"17.1": 1, "17.2": 4, "17.3": 2},
}
_ROW = re.compile(
    r"^\| (\d+\.\d+\.)(\d+)(?: to \1(\d+))? \| (.+?) \| \**([a-z/ ]+?)\** \| (.+) \|$", re.MULTILINE
)


def rows() -> list[tuple[list[str], str, str]]:
    """Requirements, state and by what of each line."""
    page = (ROOT / "docs/asvs.md").read_text()
    return [
        ([f"{section}{at}" for at in range(int(first), int(last or first) + 1)], state, by)
        for section, first, last, _, state, by in _ROW.findall(page)
    ]


def test_every_requirement_of_levels_1_and_2_has_its_line() -> None:
    wanted = [f"{section}.{at}" for section, last in SECTIONS.items() for at in range(1, last + 1)]
    assert len(wanted) == 253
    assert [each for ids, _, _ in rows() for each in ids] == wanted


def test_states_are_known_and_counted() -> None:
    states = [state for ids, state, _ in rows() for _ in ids]
    assert set(states) == STATES
    told = (ROOT / "docs/asvs.md").read_text()
    for state in STATES:
        assert f"{states.count(state)} {state}" in told


def test_what_is_met_in_part_or_not_says_what_is_missing() -> None:
    for ids, state, by in rows():
        if state in ("partly", "not met", "operator"):
            assert len(re.sub(r"`[^`]*`", "", by)) > 15, ids


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_test_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", (ROOT / page).read_text()))
    assert len(named) > 40
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_tests_that_are_named_have_tests() -> None:
    for page in PAGES:
        for path in set(re.findall(r"`(tests/[\w/]+/test_\w+\.py)`", (ROOT / page).read_text())):
            assert re.search(r"^(async )?def test_", (ROOT / path).read_text(), re.MULTILINE), path
