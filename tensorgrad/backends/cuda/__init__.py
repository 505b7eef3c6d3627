"""CUDA: CuPy arrays and the kernels of `kernels/`. CuPy is not imported before a CUDA device is asked for."""

from __future__ import annotations

from tensorgrad.backends.cuda.available import NOT_INSTALLED, make_backend

__all__ = ["NOT_INSTALLED", "make_backend"]
