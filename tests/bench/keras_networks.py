"""Keras's own networks as TensorFlow freezes them, for ``tests.bench.networks``: against TensorFlow's own gradients."""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dreamer.engine import Network, Target
from dreamer.library import LibraryError, Registry
from tests.dreamer.gradients import relative_error

SIDES = {  # px, of the pictures they were made for
    "Keras InceptionV3": 299,
    "Keras Xception": 299,
    "Keras VGG16": 224,
    "Keras MobileNet": 224,
    "Keras MobileNetV3Small": 224,
    "Keras ResNet50V2": 224,
    "Keras DenseNet121": 224,
    "Keras EfficientNetB0": 224,
    "Keras NASNetMobile": 224,
}
Row = list[str]


def rows(wanted: Callable[[str], bool]) -> Iterator[Row]:
    """[architecture, whose code, exporter, sizes, imports, layers, error, dreams, ratio]; none without TensorFlow."""
    names = [name for name in SIDES if wanted(name)]
    try:
        tensorflow = importlib.import_module("tensorflow") if names else None
    except ImportError:
        return
    for name in names:
        yield [name, "keras", "frozen graph", "static", *_row(tensorflow, name.removeprefix("Keras "), SIDES[name])]


def frozen(tensorflow: Any, name: str, side: int) -> bytes:
    """The graph of one of Keras's networks, with random weights and norms that have seen a picture."""
    keras = tensorflow.keras
    keras.utils.set_random_seed(3)
    net = getattr(keras.applications, name)(weights=None, classifier_activation=None)
    norms = [layer for layer in net.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    net(np.random.default_rng(0).uniform(0, 255, (2, side, side, 3)).astype(np.float32), training=True)
    function = tensorflow.function(lambda picture: net(picture, training=False))
    concrete = function.get_concrete_function(tensorflow.TensorSpec([1, side, side, 3], tensorflow.float32))
    freeze = importlib.import_module("tensorflow.python.framework.convert_to_constants")
    data: bytes = freeze.convert_variables_to_constants_v2(concrete).graph.as_graph_def().SerializeToString()
    return data


def _row(tensorflow: Any, name: str, side: int) -> Row:
    data = frozen(tensorflow, name, side)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.pb"
        file.write_bytes(data)
        try:
            files = Registry(Path(folder) / "models").import_file(file, "net", convention="raw")
        except LibraryError as error:
            return [f"refused: {str(error).replace(str(file), 'it')[:120]}", "-", "-", "-", "-"]
        network = Network.open(files.path, device="cpu", threads=1)
        theirs = Gradients(tensorflow, data)
        known = [layer for layer in network.layers.values() if layer.spatial and theirs.has(layer.name)]
        depths = [known[len(known) * part // 3 - 1].name for part in (1, 2, 3)]
        picture = np.random.default_rng(1).uniform(0, 255, (3, side, side)).astype(np.float32)
        errors = []
        for layer in [files.info.logits or "", *depths]:
            if not theirs.has(layer):
                errors.append("-")
                continue
            channel = loudest(network, picture, layer)
            ours, _ = network.gradient(picture, Target.layer(layer, channel))
            errors.append(f"{relative_error(ours, theirs(picture, layer, channel)):.0e}")
        other = np.random.default_rng(2).uniform(0, 255, (3, side + 50, side + 77)).astype(np.float32)
        gradient, _ = network.gradient(other, Target.layer(depths[-1]))
        size = files.info.fixed_size
        dreams = f"whole, at {size[1]} x {size[0]}" if size else "at any size"
        if not (np.isfinite(gradient).all() and gradient.any()):
            dreams = "no"
        ratio = _ratio(
            lambda: theirs(picture, depths[1], 1), lambda: network.gradient(picture, Target.layer(depths[1], 1))
        )
    return ["yes", str(len(network.layers)), " ".join(errors), dreams, f"{ratio:.1f}"]


def loudest(network: Network, picture: np.ndarray, layer: str) -> int:
    """The channel of a layer with the largest value."""
    values = network.activations(picture, layer)
    return int(values.reshape(len(values), -1).max(axis=1).argmax())


def _ratio(theirs: Callable[[], Any], ours: Callable[[], Any]) -> float:
    best = [np.inf, np.inf]
    for turn in range(4):
        for which, call in enumerate((theirs, ours)):
            start = time.process_time()
            call()
            if turn:
                best[which] = min(best[which], time.process_time() - start)
    return best[0] / best[1]


class Gradients:
    """TensorFlow's own gradients of a frozen graph, on one thread."""

    def __init__(self, tensorflow: Any, data: bytes) -> None:
        one = tensorflow.compat.v1
        self._graph, self._one, self._asked = tensorflow.Graph(), one, dict[tuple[str, int], Any]()
        definition = one.GraphDef.FromString(data)
        for node in definition.node:  # gradients of Keras's own, which belong to the graph it was frozen from
            node.attr.pop("_gradient_op_type", None)
        with self._graph.as_default():
            one.import_graph_def(definition, name="")
        self._input = next(node.name for node in definition.node if node.op == "Placeholder")
        single = one.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self._session = one.Session(graph=self._graph, config=single)

    def has(self, layer: str) -> bool:
        """Whether there is a tensor of this name."""
        return any(operation.name == layer for operation in self._graph.get_operations())

    def __call__(self, picture: np.ndarray, layer: str, channel: int) -> np.ndarray:
        """Of the sum of one of a tensor's channels, with respect to a picture [3,h,w]."""
        picture_tensor = self._graph.get_tensor_by_name(f"{self._input}:0")
        if (layer, channel) not in self._asked:
            with self._graph.as_default():
                summed = self._one.reduce_sum(self._graph.get_tensor_by_name(f"{layer}:0")[..., channel])
                (self._asked[layer, channel],) = self._one.gradients(summed, [picture_tensor])
        (gradient,) = self._session.run(
            [self._asked[layer, channel]], {picture_tensor: picture.transpose(1, 2, 0)[None]}
        )
        return np.asarray(gradient[0]).transpose(2, 0, 1)
