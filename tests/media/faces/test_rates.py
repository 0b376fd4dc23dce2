from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.faces.rates import Scores, crossed_pairs, similarities

cosines = st.lists(st.floats(-1, 1), min_size=1, max_size=60)


def test_rates_count_pairs() -> None:
    scores = Scores(genuine=[0.9, 0.7, 0.4, 0.2], impostor=[0.5, 0.3, 0.1, 0.0])
    at = scores.at(0.4)
    assert (at.fmr, at.fnmr) == (0.25, 0.25)
    assert scores.at(0.5).fmr == 0.25, "a similarity equal to the threshold is a match"
    assert scores.at(0.500001).fmr == 0.0


def test_the_threshold_for_an_fmr_is_the_lowest_that_keeps_it() -> None:
    scores = Scores(genuine=[0.9, 0.35], impostor=[k / 100 for k in range(100)])
    found = scores.at_fmr(0.01)
    assert found.fmr == 0.01
    assert 0.98 < found.threshold < 0.99
    assert scores.at_fmr(0.001).fmr == 0.0
    assert scores.at_fnmr(0.5).fnmr == 0.5


@given(cosines, cosines)
def test_rates_are_monotone(genuine: list[float], impostor: list[float]) -> None:
    curve = Scores(genuine, impostor).curve(40)
    assert all(a.fmr >= b.fmr and a.fnmr <= b.fnmr for a, b in itertools.pairwise(curve))


@given(cosines, cosines, st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.5, 1.0]))
def test_no_threshold_exceeds_the_fmr_asked_for(g: list[float], i: list[float], fmr: float) -> None:
    assert Scores(g, i).at_fmr(fmr).fmr <= fmr


def test_rates_need_both_kinds() -> None:
    with pytest.raises(ValueError, match="pairs"):
        Scores([0.5], [])


def test_crossed_pairs_are_of_two_people_and_always_the_same() -> None:
    identities = ["a", "a", "b", "b", "c"]
    pairs = crossed_pairs(identities, {(0, 2)}, 100)
    assert len(pairs) == len(set(pairs)) == 7
    assert (0, 2) not in pairs
    assert all(i < j and identities[i] != identities[j] for i, j in pairs)
    assert crossed_pairs(identities, set(), 3) == crossed_pairs(identities, set(), 3)
    assert crossed_pairs(identities, set(), 0) == []
    assert crossed_pairs([], set(), 5) == []


def test_similarities_of_rows() -> None:
    rows = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    assert similarities(rows, [(0, 1), (0, 2), (1, 1)]) == [0, -1, 1]
    assert similarities(rows, []) == []
