"""What there is of CUDA on this machine, under PyTorch's names. Tensors go there with `.to("cuda")`."""

from __future__ import annotations

from tensorgrad.backends.device import device

__all__ = ["device_count", "is_available"]


def is_available() -> bool:
    """Whether CUDA can be used: CuPy is there, and so is a device it can drive."""
    return device("auto").type == "cuda"


def device_count() -> int:
    """How many CUDA devices can be used; 0 where CUDA cannot."""
    return device("cuda").backend.device_count() if is_available() else 0
