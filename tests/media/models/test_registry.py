from __future__ import annotations

import re

import pytest

from media.models.packs import find_installed, valid_name, verify
from media.models.registry import RECOGNISERS, UNMEASURED, RecogniserModel, Thresholds

EVERY = list(RECOGNISERS.values())


@pytest.mark.parametrize("model", EVERY, ids=lambda m: m.name)
def test_every_model_is_described(model: RecogniserModel) -> None:
    assert RECOGNISERS[model.name] is model
    assert valid_name(model.name)
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.licence
    assert model.thresholds.refuse < model.thresholds.accept
    if model.origin is not None:
        assert model.origin.url.startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{64}", model.origin.sha256)
        assert (model.origin.member is None) == (model.origin.sha256 == model.sha256)


@pytest.mark.parametrize("model", [m for m in EVERY if m.figures], ids=lambda m: m.name)
def test_thresholds_rest_on_figures(model: RecogniserModel) -> None:
    served = next(f for f in model.figures if f.pairs == "east_asian")
    assert served.fmr <= 0.001
    assert served.fnmr_refuse <= 0.01
    assert served.impostors > 10_000
    for figure in model.figures:
        assert figure.fmr <= 0.001
        assert figure.fnmr_refuse <= figure.fnmr_accept


@pytest.mark.parametrize("model", [m for m in EVERY if not m.figures], ids=lambda m: m.name)
def test_models_without_figures_leave_most_to_reviewers(model: RecogniserModel) -> None:
    assert model.thresholds == UNMEASURED


def test_the_default_is_installed(tmp_path: object) -> None:
    from pathlib import Path

    verify(find_installed("dlib", Path(str(tmp_path))))


@pytest.mark.parametrize(("accept", "refuse"), [(0.2, 0.3), (1.1, 0.0), (0.5, -1.5), (float("nan"), 0.0)])
def test_thresholds_that_make_no_sense(accept: float, refuse: float) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        Thresholds(accept, refuse)
