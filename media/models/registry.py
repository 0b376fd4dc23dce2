"""Which recognisers exist: licence, origin, checksum, how pixels go in, and thresholds with what set them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Adapter(StrEnum):
    """Which code in `media.faces` runs the model."""

    ARCFACE = "arcface"
    DLIB = "dlib"


@dataclass(frozen=True)
class Thresholds:
    """Cosine similarity: at or above `accept` one person, below `refuse` two, between them uncertain."""

    accept: float
    refuse: float

    def __post_init__(self) -> None:
        if not -1.0 <= self.refuse <= self.accept <= 1.0:
            raise ValueError("thresholds need -1 <= refuse <= accept <= 1")


@dataclass(frozen=True)
class Figure:
    """What was measured on one set of pairs with the thresholds in use. Rates are shares, 0..1.

    `fmr` is the share of impostor pairs at or above `accept`; `fnmr_accept` and `fnmr_refuse` the shares of
    genuine pairs below `accept` and below `refuse`.
    """

    pairs: str
    genuine: int
    impostors: int
    fmr: float
    fnmr_accept: float
    fnmr_refuse: float


@dataclass(frozen=True)
class Origin:
    """Where the operator's installation gets the file. `member` is its name inside an archive."""

    url: str
    sha256: str
    size: int
    member: str | None = None


@dataclass(frozen=True)
class RecogniserModel:
    """One recogniser. `sha256` and `file` are those of the model file itself.

    `package` is the distribution of the package index that brings the file, and the file's path in it.
    `normalise` is mean and divisor of the pixels where the file does not say it itself. `figures` is empty
    where the model could not be measured; its thresholds are then wide on purpose, so that most comparisons
    go to a reviewer until `evaluate match` has been run and a policy has been written from it.
    """

    name: str
    version: str
    adapter: Adapter
    licence: str
    commercial: bool
    file: str
    sha256: str
    embedding_size: int
    thresholds: Thresholds
    figures: tuple[Figure, ...] = ()
    origin: Origin | None = None
    package: tuple[str, str] | None = None
    normalise: tuple[float, float] | None = None


UNMEASURED = Thresholds(accept=0.60, refuse=0.15)
"""For ArcFace-type models that nobody has measured here yet, also those an operator brings."""

_BUFFALO_LICENCE = (
    "InsightFace model zoo: the weights are for non-commercial research purposes only; commercial use needs "
    "a licence from InsightFace."
)

# The checksums of sface, auraface and buffalo_l are those that many public lock files agree on; for sface it
# is also the object id in the repository's own LFS pointer. None of the three could be downloaded and
# measured where the figures below were made.
RECOGNISERS: dict[str, RecogniserModel] = {
    model.name: model
    for model in (
        RecogniserModel(
            name="dlib",
            version="resnet_v1_centred",
            adapter=Adapter.DLIB,
            licence="Public domain (CC0)",
            commercial=True,
            file="dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            package=(
                "face_recognition_models",
                "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            ),
            embedding_size=128,
            thresholds=Thresholds(accept=0.63, refuse=0.31),
            figures=(
                Figure("east_asian", 210, 14_812, fmr=0.00081, fnmr_accept=0.3048, fnmr_refuse=0.0095),
                Figure("general", 323, 100_266, fmr=0.00073, fnmr_accept=0.1486, fnmr_refuse=0.0031),
            ),
        ),
        RecogniserModel(
            name="mobilefacenet",
            version="1",
            adapter=Adapter.ARCFACE,
            licence="None stated: for tests and measurements only",
            commercial=False,
            file="mobilefacenet.onnx",
            sha256="f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5",
            embedding_size=128,
            thresholds=Thresholds(accept=0.44, refuse=0.25),
            figures=(
                Figure("east_asian", 210, 14_812, fmr=0.00088, fnmr_accept=0.0429, fnmr_refuse=0.0),
                Figure("general", 323, 100_266, fmr=0.00010, fnmr_accept=0.0495, fnmr_refuse=0.0124),
            ),
        ),
        RecogniserModel(
            name="sface",
            version="2021dec",
            adapter=Adapter.ARCFACE,
            licence="Apache-2.0",
            commercial=True,
            file="face_recognition_sface_2021dec.onnx",
            sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            embedding_size=128,
            thresholds=UNMEASURED,
            normalise=(0.0, 1.0),
            origin=Origin(
                url="https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98"
                "/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
                sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
                size=38_696_353,
            ),
        ),
        RecogniserModel(
            name="auraface",
            version="1",
            adapter=Adapter.ARCFACE,
            licence="Apache-2.0",
            commercial=True,
            file="glintr100.onnx",
            sha256="a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60",
            embedding_size=512,
            thresholds=UNMEASURED,
            origin=Origin(
                url="https://huggingface.co/fal/AuraFace-v1/resolve"
                "/af6d057c9b0ec4071d4c49c80e3539258798b609/glintr100.onnx",
                sha256="a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60",
                size=260_694_151,
            ),
        ),
        RecogniserModel(
            name="buffalo_l",
            version="0.7",
            adapter=Adapter.ARCFACE,
            licence=_BUFFALO_LICENCE,
            commercial=False,
            file="w600k_r50.onnx",
            sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            embedding_size=512,
            thresholds=UNMEASURED,
            origin=Origin(
                url="https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_l.zip",
                sha256="80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
                size=288_621_354,
                member="w600k_r50.onnx",
            ),
        ),
    )
}
