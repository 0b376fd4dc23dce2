from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from media.faces import open_recogniser
from media.models import download as download_module
from media.models import install as module
from media.models.install import InstallRefused, Refusal, Request, install
from media.models.packs import (
    Manifest,
    ModelChanged,
    ModelMissing,
    PinnedBy,
    find_installed,
    installed_names,
    verify,
)
from media.models.registry import RECOGNISERS, UNMEASURED, Adapter, Origin, RecogniserModel
from tests.media.faces.tiny_model import write_tiny_model
from tests.media.models.server import Behaviour, serving


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return write_tiny_model(tmp_path / "made.onnx").read_bytes()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "WAIT_S", 0.0)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def _quiet(here: int, total: int | None) -> None:
    pass


def _loads(path: Path) -> None:
    from media.faces.recognisers import open_file

    open_file(path, "probe")


def _install(request: Request, models: Path) -> Manifest | InstallRefused:
    return install(request, models, _quiet, _loads)


def _refusal(answer: Manifest | InstallRefused) -> Refusal:
    assert isinstance(answer, InstallRefused)
    return answer.reason


def _publish(
    monkeypatch: pytest.MonkeyPatch,
    model: bytes,
    url: str,
    archive: bytes | None = None,
    commercial: bool = True,
) -> None:
    """Adds a model named `fresh` to the registry."""
    served = archive if archive is not None else model
    known = RecogniserModel(
        name="fresh",
        version="1",
        adapter=Adapter.ARCFACE,
        licence="Only for tests",
        commercial=commercial,
        file="fresh.onnx",
        sha256=hashlib.sha256(model).hexdigest(),
        embedding_size=32,
        thresholds=dataclasses.replace(UNMEASURED, accept=0.7),
        origin=Origin(
            url=url,
            sha256=hashlib.sha256(served).hexdigest(),
            size=len(served),
            member="fresh.onnx" if archive is not None else None,
        ),
    )
    monkeypatch.setitem(RECOGNISERS, "fresh", known)


def _zip(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".onnx", content)
    return packed.getvalue()


def test_a_model_is_downloaded_pinned_and_opened(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path
) -> None:
    with serving(model, Behaviour.BREAKS_OFF_ONCE) as served:
        _publish(monkeypatch, model, served.url)
        done = _install(Request("fresh"), models)
    assert isinstance(done, Manifest)
    assert done.pinned_by is PinnedBy.REGISTRY
    assert done.sha256 == hashlib.sha256(model).hexdigest()
    assert installed_names(models) == ["dlib", "fresh"]
    assert find_installed("fresh", models).thresholds.accept == 0.7
    assert open_recogniser("fresh", models).model.name == "fresh"
    assert not list(models.rglob("*.part"))


def test_a_broken_download_is_continued_by_the_next_command(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path
) -> None:
    with serving(model, Behaviour.ALWAYS_BREAKS_OFF) as served:
        _publish(monkeypatch, model, served.url)
        monkeypatch.setattr(download_module, "ATTEMPTS", 1)
        assert _refusal(_install(Request("fresh"), models)) is Refusal.NOT_DOWNLOADED
        assert installed_names(models) == ["dlib"]
        served.behaviour = Behaviour.GOOD
        assert isinstance(_install(Request("fresh"), models), Manifest)
    assert served.ranges[-1] == f"bytes={len(model) // 2}-"


def test_a_download_with_another_content_is_refused(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path
) -> None:
    with serving(model[:-1] + b"!") as served:
        _publish(monkeypatch, model, served.url)
        assert _refusal(_install(Request("fresh"), models)) is Refusal.WRONG_CHECKSUM
    assert installed_names(models) == ["dlib"]
    assert not (models / "fresh").exists()


def test_one_model_is_taken_out_of_an_archive(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path
) -> None:
    archive = _zip(pack__fresh=model, pack__other=b"not wanted")
    with serving(archive) as served:
        _publish(monkeypatch, model, served.url, archive)
        assert isinstance(_install(Request("fresh"), models), Manifest)
    assert sorted(p.name for p in (models / "fresh").iterdir()) == ["fresh.onnx", "manifest.json"]


@pytest.mark.parametrize("kind", ["file", "folder", "archive", "folder_with_archive"])
def test_without_a_network(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path, tmp_path: Path, kind: str
) -> None:
    _publish(monkeypatch, model, "https://nowhere.invalid/fresh.onnx")
    stick = tmp_path / "stick"
    stick.mkdir()
    if "archive" in kind:
        (stick / "fresh.zip").write_bytes(_zip(deep__fresh=model, deep__det=b"detector"))
    else:
        (stick / "fresh.onnx").write_bytes(model)
    source = stick if "folder" in kind else next(stick.iterdir())
    done = _install(Request("fresh", source), models)
    assert isinstance(done, Manifest)
    assert str(tmp_path) not in (models / "fresh" / "manifest.json").read_text()
    verify(find_installed("fresh", models))


def test_no_network_says_so(monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path) -> None:
    _publish(monkeypatch, model, "https://nowhere.invalid/fresh.onnx")
    monkeypatch.setattr(download_module, "ATTEMPTS", 1)
    answer = _install(Request("fresh"), models)
    assert isinstance(answer, InstallRefused)
    assert answer.reason is Refusal.NOT_DOWNLOADED
    assert "nowhere.invalid" in answer.detail


def test_a_restrictive_licence_is_shown_and_must_be_accepted(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path
) -> None:
    with serving(model) as served:
        _publish(monkeypatch, model, served.url, commercial=False)
        answer = _install(Request("fresh"), models)
        assert _refusal(answer) is Refusal.LICENCE_NOT_ACCEPTED
        assert served.ranges == [], "nothing is downloaded before the licence is accepted"
        done = _install(Request("fresh", accept_licence=True), models)
    assert isinstance(done, Manifest)
    assert done.licence_accepted


def test_buffalo_l_asks_for_its_licence(models: Path) -> None:
    answer = _install(Request("buffalo_l"), models)
    assert isinstance(answer, InstallRefused)
    assert answer.reason is Refusal.LICENCE_NOT_ACCEPTED
    assert "non-commercial" in answer.detail


@pytest.mark.parametrize("pinned", [True, False])
def test_an_operators_own_model(model: bytes, models: Path, tmp_path: Path, pinned: bool) -> None:
    sha256 = hashlib.sha256(model).hexdigest()
    done = _install(
        Request("ours", tmp_path / "made.onnx", sha256=sha256.upper() if pinned else None), models
    )
    assert isinstance(done, Manifest)
    assert done.pinned_by is (PinnedBy.OPERATOR if pinned else PinnedBy.FIRST_USE)
    found = find_installed("ours", models)
    assert found.thresholds == UNMEASURED
    assert (found.ref.name, found.ref.sha256) == ("ours", sha256)
    assert open_recogniser("ours", models).model == found.ref


def test_a_changed_file_is_noticed(model: bytes, models: Path, tmp_path: Path) -> None:
    _install(Request("ours", tmp_path / "made.onnx"), models)
    path = models / "ours" / "ours.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelChanged, match="ours"):
        open_recogniser("ours", models)
    path.unlink()
    with pytest.raises(ModelMissing, match="ours"):
        open_recogniser("ours", models)


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"name": "ours"}', '{"pinned_by": "nobody"}', "x" * 100_000],
)
def test_a_broken_manifest_is_noticed(model: bytes, models: Path, tmp_path: Path, manifest: str) -> None:
    _install(Request("ours", tmp_path / "made.onnx"), models)
    (models / "ours" / "manifest.json").write_text(manifest)
    with pytest.raises(ModelChanged, match="ours"):
        find_installed("ours", models)


def test_a_manifest_cannot_name_a_file_elsewhere(model: bytes, models: Path, tmp_path: Path) -> None:
    _install(Request("ours", tmp_path / "made.onnx"), models)
    manifest = models / "ours" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"ours.onnx"', '"../../made.onnx"'))
    with pytest.raises(ModelChanged):
        find_installed("ours", models)


def test_what_was_installed_stays_when_the_new_one_is_refused(
    model: bytes, models: Path, tmp_path: Path
) -> None:
    _install(Request("ours", tmp_path / "made.onnx"), models)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    assert _refusal(_install(Request("ours", tmp_path / "bad.onnx"), models)) is Refusal.NOT_A_MODEL
    verify(find_installed("ours", models))


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("dlib"), Refusal.COMES_WITH_PACKAGES),
        (Request("nonesuch"), Refusal.UNKNOWN_NAME),
        (Request("../../etc"), Refusal.BAD_NAME),
        (Request("Ours"), Refusal.BAD_NAME),
        (Request("mobilefacenet", accept_licence=True), Refusal.NO_ORIGIN),
        (Request("ours", Path("not-there.onnx")), Refusal.NOT_FOUND),
    ],
)
def test_requests_that_cannot_be_met(models: Path, request_: Request, reason: Refusal) -> None:
    assert _refusal(_install(request_, models)) is reason
    assert installed_names(models) == ["dlib"]


def test_files_that_cannot_be_installed(model: bytes, models: Path, tmp_path: Path) -> None:
    def tried(content: bytes, sha256: str | None = None) -> Refusal:
        (tmp_path / "tried").write_bytes(content)
        return _refusal(_install(Request("ours", tmp_path / "tried", sha256=sha256), models))

    assert tried(b"") is Refusal.NOT_A_MODEL
    assert tried(b"no model") is Refusal.NOT_A_MODEL
    assert tried(model, "0" * 64) is Refusal.WRONG_CHECKSUM
    assert tried(_zip(a=model, b=model)) is Refusal.BAD_ARCHIVE
    whole = _zip(a=model)
    assert tried(whole[:200] + whole[260:]) is Refusal.BAD_ARCHIVE
    (tmp_path / "empty").mkdir()
    assert _refusal(_install(Request("ours", tmp_path / "empty"), models)) is Refusal.NOT_FOUND
    assert not (models / "ours").exists()


def test_a_file_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch, model: bytes, models: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    assert _refusal(_install(Request("ours", tmp_path / "made.onnx"), models)) is Refusal.TOO_LARGE
    (tmp_path / "bomb.zip").write_bytes(_zip(bomb=b"\0" * 100_000))
    assert _refusal(_install(Request("ours", tmp_path / "bomb.zip"), models)) is Refusal.TOO_LARGE
