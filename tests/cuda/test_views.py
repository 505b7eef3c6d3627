"""Views and indices on the CUDA device: the tests of tests/ops/test_views.py a second time."""

from __future__ import annotations

import inspect

import pytest

from tests.ops import test_views

pytestmark = pytest.mark.usefixtures("cuda")

globals().update(
    {name: f for name, f in vars(test_views).items() if name.startswith("test_") and inspect.isfunction(f)}
)
