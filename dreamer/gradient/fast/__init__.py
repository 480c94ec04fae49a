"""What makes gradients fast on a CPU. Nothing here changes what they are.

Strategies stand in for a rule (``gradient.rules``) where they apply, and answer None where not: then the next one is
asked, and at last the rule. Most of them keep tensors in the layout of ONNX Runtime's convolutions, blocks of 16
channels: whatever leaves it is copied, and copies cost more than arithmetic.

Rewrites change the forward graph before: ``padding.py`` writes padding as numbers, ``lrn.py`` writes LRN out so that
its gradient can use the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..tape import Gradients
from . import convolution, lrn, masks, max_pool
from .workbench import Workbench

Strategy = Callable[..., Gradients | None]

STRATEGIES: Mapping[str, Sequence[Strategy]] = {  # by op, or by what a rewrite wrote into ``Node.strategy``
    "Concat": (masks.concat_of_relus,),
    "Conv": (convolution.mirrored, convolution.by_phases),
    "LRN": (lrn.banded,),
    "MaxPool": (max_pool.filled, max_pool.smooth, max_pool.exact),
    "Pad": (masks.pad_of_masked,),
    "Relu": (masks.relu,),
}

__all__ = ["STRATEGIES", "Strategy", "Workbench"]
