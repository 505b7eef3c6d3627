"""Primitives: all that ops may ask of a device.

**Basic** ones (`basic.py`), named after NumPy's functions, are what every device must supply. **Composite** ones, a
family a file, have a default composition out of basic ones, which a device may override with a kernel.
"""

from __future__ import annotations

from tensorgrad.backends.primitives.basic import (
    INDEX,
    PRIMITIVES,
    VIEWS,
    Array,
    Axis,
    Primitives,
    Shape,
    delivered,
)

__all__ = ["INDEX", "PRIMITIVES", "VIEWS", "Array", "Axis", "Primitives", "Shape", "delivered"]
