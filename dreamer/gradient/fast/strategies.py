"""The strategies, by op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..tape import Gradients
from . import activations, convolution, gates, lrn, masks, max_pool

Strategy = Callable[..., Gradients | None]

STRATEGIES: Mapping[str, Sequence[Strategy]] = {  # by op, or by what a rewrite wrote into ``Node.strategy``
    "Clip": (activations.clip,),
    "Concat": (masks.concat_of_relus,),
    "Conv": (convolution.mirrored, convolution.by_phases, convolution.interleaved),
    "banded LRN": (lrn.banded,),
    "GlobalAveragePool": (gates.averaged,),
    "MaxPool": (max_pool.filled, max_pool.smooth, max_pool.exact),
    "Mul": (activations.swish, gates.weighed),
    "Pad": (masks.pad_of_masked,),
    "Relu": (masks.relu,),
}
