"""GoogLeNet as Caffe describes it, from the paper's table: for weights whose `.prototxt` is not at hand.

The result is a net in the form of `caffe_schema`. The layers' names are the ones the published weights use.
"""

from __future__ import annotations

from typing import Any

from .caffe_schema import NET
from .conventions import GOOGLENET_MODULES


def describe(classes: int = 1000) -> Any:
    """The net up to its one classifier, for pictures of 224 x 224 px."""
    net: Any = NET(name="GoogLeNet", input=["data"], input_dim=[1, 3, 224, 224])

    def layer(name: str, kind: str, bottoms: list[str], top: str = "", **params: dict[str, Any]) -> str:
        net.layer.add(name=name, type=kind, bottom=bottoms, top=[top or name], **params)
        return top or name

    def conv(name: str, bottom: str, count: int, kernel: int, stride: int = 1) -> str:
        options = {"num_output": count, "kernel_size": [kernel], "stride": [stride], "pad": [kernel // 2]}
        layer(name, "Convolution", [bottom], convolution_param=options)
        return layer(f"{name}_relu", "ReLU", [name], name)

    def pool(name: str, bottom: str, stride: int) -> str:
        options = {"pool": "MAX", "kernel_size": 3, "stride": stride, "pad": 1 if stride == 1 else 0}
        return layer(name, "Pooling", [bottom], pooling_param=options)

    def norm(name: str, bottom: str) -> str:
        return layer(name, "LRN", [bottom], lrn_param={"local_size": 5, "alpha": 1e-4, "beta": 0.75})

    at = norm("pool1/norm1", pool("pool1/3x3_s2", conv("conv1/7x7_s2", "data", 64, 7, 2), 2))
    at = conv("conv2/3x3", conv("conv2/3x3_reduce", at, 64, 1), 192, 3)
    at = pool("pool2/3x3_s2", norm("conv2/norm2", at), 2)
    for module, (one, reduce3, three, reduce5, five, projection) in GOOGLENET_MODULES.items():
        name = f"inception_{module}"
        branches = [
            conv(f"{name}/1x1", at, one, 1),
            conv(f"{name}/3x3", conv(f"{name}/3x3_reduce", at, reduce3, 1), three, 3),
            conv(f"{name}/5x5", conv(f"{name}/5x5_reduce", at, reduce5, 1), five, 5),
            conv(f"{name}/pool_proj", pool(f"{name}/pool", at, 1), projection, 1),
        ]
        at = layer(f"{name}/output", "Concat", branches)
        if module in ("3b", "4e"):
            at = pool(f"pool{module[0]}/3x3_s2", at, 2)
    layer("pool5/7x7_s1", "Pooling", [at], pooling_param={"pool": "AVE", "kernel_size": 7, "stride": 1})
    layer("loss3/classifier", "InnerProduct", ["pool5/7x7_s1"], inner_product_param={"num_output": classes})
    layer("prob", "Softmax", ["loss3/classifier"])
    return net
