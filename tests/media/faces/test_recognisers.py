from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from activation.evidence import ModelRef
from media.faces import FaceFinder, Recogniser, open_recogniser, similarity
from media.faces import lease as lease_module
from media.faces.arcface import THREADS, ArcFaceRecogniser, UnusableModel
from media.faces.lease import AllTaken, Lease
from media.faces.recognisers import open_file
from media.models.packs import ModelMissing
from media.models.registry import RECOGNISERS
from tests.media.faces import portraits
from tests.media.faces.tiny_model import SIZE, write_tiny_model


@pytest.fixture(scope="module")
def dlib(tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return open_recogniser("dlib", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def mobilefacenet(shared: Path) -> Recogniser:
    return open_file(shared / "models/mobilefacenet.onnx", "mobilefacenet")


def _tells_people_apart(recogniser: Recogniser, finder: FaceFinder) -> None:
    """One person in two pictures is accepted, six others are not."""
    person = portraits.one()
    again = np.asarray(cv2.GaussianBlur(cv2.resize(person, None, fx=1.6, fy=1.6), (0, 0), 1.5), np.uint8)
    again = np.clip(again.astype(np.int16) + 15, 0, 255).astype(np.uint8)
    first = recogniser.embed(person, finder.find(person)[0])
    second = recogniser.embed(again, finder.find(again)[0])
    assert np.linalg.norm(first) == pytest.approx(1.0, abs=1e-5)
    limits = RECOGNISERS[recogniser.model.name].thresholds
    assert similarity(first, second) > limits.accept
    others = portraits.six()
    strangers = [recogniser.embed(others, face) for face in finder.find(others)]
    assert len(strangers) == 6
    for number, stranger in enumerate(strangers):
        assert similarity(first, stranger) < limits.accept
        for another in strangers[:number]:
            assert similarity(another, stranger) < limits.accept


def test_dlib_tells_people_apart(dlib: Recogniser, finder: FaceFinder) -> None:
    _tells_people_apart(dlib, finder)


@pytest.mark.shared
def test_insightface_tells_people_apart(mobilefacenet: Recogniser, finder: FaceFinder) -> None:
    assert mobilefacenet.model.name == "mobilefacenet"
    _tells_people_apart(mobilefacenet, finder)


def test_dlib_is_always_there_and_names_itself(dlib: Recogniser) -> None:
    assert dlib.model == ModelRef("dlib", "resnet_v1_centred", RECOGNISERS["dlib"].sha256)


def test_a_recogniser_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="models install sface"):
        open_recogniser("sface", tmp_path)


def test_insightface_runs_any_model_of_its_kind(tmp_path: Path, finder: FaceFinder) -> None:
    recogniser = open_file(write_tiny_model(tmp_path / "tiny.onnx"), "tiny")
    face = finder.find(portraits.one())[0]
    embedding = recogniser.embed(portraits.one(), face)
    assert embedding.shape == (SIZE,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)
    assert recogniser.model.name == "tiny"
    assert len(recogniser.model.sha256) == 64


def test_its_session_has_few_threads(tmp_path: Path) -> None:
    recogniser = ArcFaceRecogniser(write_tiny_model(tmp_path / "tiny.onnx"), ModelRef("tiny", "1", ""))
    with recogniser._lease.take() as arcface:
        options = arcface.session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (THREADS, THREADS)


def test_pixels_go_in_as_the_registry_says(tmp_path: Path, finder: FaceFinder) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    face = finder.find(portraits.one())[0]
    plain = ArcFaceRecogniser(path, ModelRef("tiny", "1", "")).embed(portraits.one(), face)
    raw = ArcFaceRecogniser(path, ModelRef("tiny", "1", ""), (0.0, 1.0)).embed(portraits.one(), face)
    assert similarity(plain, raw) < 0.99


def test_threads_get_the_same_embeddings(tmp_path: Path, finder: FaceFinder) -> None:
    recogniser = open_file(write_tiny_model(tmp_path / "tiny.onnx"), "tiny")
    picture = portraits.six()
    faces = finder.find(picture)
    alone = [recogniser.embed(picture, face) for face in faces]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda face: recogniser.embed(picture, face), faces * 4))
    for number, embedding in enumerate(together):
        np.testing.assert_allclose(embedding, alone[number % 6], atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x09" * 500])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(UnusableModel, match=r"broken\.onnx"):
        open_file(path, "broken")


def test_a_model_for_other_pictures(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="112"):
        open_file(write_tiny_model(tmp_path / "other.onnx", side=80), "other")


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "LONGEST_WAIT_S", 0.01)
    only = Lease(["only"])
    with only.take(), pytest.raises(AllTaken), only.take():
        pass
    with only.take() as copy:
        assert copy == "only"
