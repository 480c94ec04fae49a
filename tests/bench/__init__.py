"""How fast it is: the dream against PyTorch (`make bench`), the canvas under many sockets (`make load`).

`torch_reference` is the same networks in PyTorch: the dream is timed, and gradients are tested, against it.
"""
