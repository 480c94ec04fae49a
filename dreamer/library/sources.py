"""Where the published networks live: official addresses first, then mirrors, with what is known to check them by.

A mirror needs no trust: a file counts only when its checksum is the published one. Where no checksum was ever
published, a file counts when it can be read, none is kept for another run, and its own checksum is printed and kept
in model.json.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One file of a model. `sha256`, else `sha1`, else nothing but its size (bytes, 0 when unknown) checks it."""

    file: str
    urls: tuple[str, ...]
    sha256: str = ""
    sha1: str = ""
    size: int = 0
    at_least: int = 0  # where the size itself is unknown
    holds: tuple[Part, ...] = ()  # for an archive: the files wanted from it

    @property
    def checked(self) -> bool:
        """Whether a checksum was published, so that a wrong or damaged file can be told for certain."""
        return bool(self.sha256 or self.sha1)


@dataclass(frozen=True)
class Labels:
    """Class names: a file of its own, or one inside the archive. Checked by their number and one known line."""

    file: str
    urls: tuple[str, ...]
    count: int
    known: tuple[int, str]  # (class, its name)


@dataclass(frozen=True)
class Source:
    """A published network that `model fetch` knows. How it is fed comes with recognising the file."""

    name: str
    title: str  # short, as people read it
    about: str
    licence: str
    weights: Part
    labels: Labels | None = None
    googlenet: int = 0  # classes of a .caffemodel with GoogLeNet's layers, which we describe ourselves


_ILSVRC = Labels(
    "classification_classes_ILSVRC2012.txt",
    (
        "https://raw.githubusercontent.com/opencv/opencv/4.x/samples/data/dnn/classification_classes_ILSVRC2012.txt",
        "https://raw.githubusercontent.com/onnx/models/main/validated/vision/classification/synset.txt",
    ),
    1000,
    (954, "banana"),
)
_OPEN_ZOO = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/public/2022.1"
_DEEPDETECT = "https://www.deepdetect.com/downloads/platform/pretrained/caffe"
_HUB = "https://huggingface.co/onnxmodelzoo"
_ZOO = "validated/vision/classification/inception_and_googlenet"


def _zoo(name: str, folder: str, sha256: str, size: int) -> Part:
    return Part(
        f"{name}.onnx",
        (
            f"{_HUB}/{name}/resolve/main/{name}.onnx",
            f"{_HUB}/legacy_models/resolve/main/{_ZOO}/{folder}/model/{name}.onnx",
            f"https://github.com/onnx/models/raw/main/{_ZOO}/{folder}/model/{name}.onnx",
        ),
        sha256=sha256,
        size=size,
    )


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "googlenet",
            "GoogLeNet",
            "GoogLeNet trained at the Berkeley Vision and Learning Center: the network of the first dreams",
            "unrestricted: its readme says it is released for unrestricted use; the photographs it was trained on "
            "(ImageNet) have their own owners",
            Part(
                "bvlc_googlenet.caffemodel",
                (
                    "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
                    f"{_OPEN_ZOO}/googlenet-v1/bvlc_googlenet.caffemodel",
                    f"{_DEEPDETECT}/googlenet/bvlc_googlenet.caffemodel",
                ),
                sha256="6f7101e3a2183738a7125a0c5021ba82a1feb4228c5ca0924d991b6daf6f6fad",
                sha1="405fc5acd08a3bb12de8ee5e23a96bec22f08204",
                size=53533754,
            ),
            _ILSVRC,
            googlenet=1000,
        ),
        Source(
            "inception5h",
            "Inception 5h",
            "TensorFlow's Inception of 2015: what DreamCanvas dreamed with, with its shelf of styles",
            "Apache-2.0, in the archive: Copyright 2015 The TensorFlow Authors",
            Part(
                "inception5h.zip",
                (
                    "https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
                    "http://download.tensorflow.org/models/inception5h.zip",
                ),
                sha256="d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
                sha1="e3b84c7e240ce8025b30d868f5e840b4bba9761d",
                holds=(
                    Part(
                        "tensorflow_inception_graph.pb",
                        (),
                        sha256="a39b08b826c9d5a5532ff424c03a3a11a202967544e389aca4b06c2bd8aef63f",
                        sha1="c8a5a000ee8d8dd75886f152a50a9c5b53d726a5",
                    ),
                    Part(
                        "imagenet_comp_graph_label_strings.txt",
                        (),
                        sha256="da2a31ecfe9f212ae8dd07379b11a74cb2d7a110eba12c5fc8c862a65b8e6606",
                    ),
                ),
            ),
            Labels("imagenet_comp_graph_label_strings.txt", (), 1001, (323, "banana")),
        ),
        Source(
            "places365",
            "GoogLeNet Places365",
            "GoogLeNet trained on places instead of things: buildings, rooms and landscapes",
            "CC BY 4.0; cite Zhou, Lapedriza, Khosla, Oliva and Torralba, Places (2017)",
            Part(
                "googlenet_places365.caffemodel",
                (
                    "https://places2.csail.mit.edu/models_places365/googlenet_places365.caffemodel",
                    "http://places2.csail.mit.edu/models_places365/googlenet_places365.caffemodel",
                ),
                at_least=25_390_708,  # its 6.3 million weights alone, in float32
            ),
            Labels(
                "categories_places365.txt",
                ("https://raw.githubusercontent.com/CSAILVision/places365/master/categories_places365.txt",),
                365,
                (0, "airfield"),
            ),
            googlenet=365,
        ),
        Source(
            "googlenet-zoo",
            "GoogLeNet (ONNX Model Zoo)",
            "The BVLC GoogLeNet as the ONNX Model Zoo has it: half the download, other layer names",
            "BSD-3-Clause (ONNX Model Zoo)",
            _zoo(
                "googlenet-12",
                "googlenet",
                "c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e",
                28021836,
            ),
            _ILSVRC,
        ),
        Source(
            "inception-v1-zoo",
            "Inception v1 (ONNX Model Zoo)",
            "Inception v1 of the ONNX Model Zoo, from Caffe2",
            "MIT (ONNX Model Zoo)",
            _zoo(
                "inception-v1-12",
                "inception_v1",
                "814b31a6316873bd03d2d808415ce1f40a7bf48ad88eab5ecc3cdc8dc6cf38ec",
                28021958,
            ),
            _ILSVRC,
        ),
    )
}
