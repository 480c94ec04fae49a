"""Published networks of our own making, which the tests' server gives out in place of the real ones."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from dreamer.library.conventions import GOOGLENET_MODULES
from dreamer.library.sources import Part, Source

from . import caffe_files
from .server import Server

LABELS = "".join(f"{'banana' if number == 954 else f'thing {number}'}\n" for number in range(1000)).encode()


def googlenet() -> bytes:
    """A GoogLeNet-shaped .caffemodel with small random weights, in the layers' published names."""
    random = np.random.default_rng(2)
    found: caffe_files.Weights = {}

    def layer(name: str, *shape: int) -> None:
        found[name] = [random.standard_normal(shape, np.float32) * 0.05, np.zeros(shape[0], np.float32)]

    layer("conv1/7x7_s2", 64, 3, 7, 7)
    layer("conv2/3x3_reduce", 64, 64, 1, 1)
    layer("conv2/3x3", 192, 64, 3, 3)
    depth = 192
    for module, sizes in GOOGLENET_MODULES.items():
        one, reduce3, three, reduce5, five, pool = sizes
        name = f"inception_{module}"
        layer(f"{name}/1x1", one, depth, 1, 1)
        layer(f"{name}/3x3_reduce", reduce3, depth, 1, 1)
        layer(f"{name}/3x3", three, reduce3, 3, 3)
        layer(f"{name}/5x5_reduce", reduce5, depth, 1, 1)
        layer(f"{name}/5x5", five, reduce5, 5, 5)
        layer(f"{name}/pool_proj", pool, depth, 1, 1)
        depth = one + three + five + pool
    layer("loss3/classifier", 1000, depth)
    return caffe_files.v1(found)


def local(wanted: Source, server: Server, data: bytes, holds: tuple[Part, ...] = ()) -> Source:
    """A published source, served from here: our addresses, our file's checksum."""
    server.files["weights"] = data
    part = dataclasses.replace(
        wanted.weights,
        urls=(server.url("gone"), server.url("weights")),
        sha256=hashlib.sha256(data).hexdigest(),
        sha1="",
        size=len(data),
        holds=holds,
    )
    labels = wanted.labels and dataclasses.replace(
        wanted.labels, urls=(server.url("nothing"), server.url("labels")) if wanted.labels.urls else ()
    )
    return dataclasses.replace(wanted, weights=part, labels=labels)
