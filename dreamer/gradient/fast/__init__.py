"""What makes gradients fast on a CPU. Nothing here changes what they are.

Strategies stand in for a rule (``gradient.rules``) where they apply, and answer None where not: then the next one is
asked, and at last the rule. Most of them keep tensors in the layout of ONNX Runtime's convolutions, blocks of 16
channels: whatever leaves it is copied, and copies cost more than arithmetic.

Rewrites change the forward graph before: ``padding.py`` writes padding as numbers, ``lrn.py`` writes LRN out so that
its gradient can use the same parts.
"""
