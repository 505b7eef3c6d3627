"""Primitives: all that ops may ask of a device.

**Basic** ones (`basic.py`), named after NumPy's functions, are what every device must supply. **Composite** ones, a
family a file, have a default composition out of basic ones, which a device may override with a kernel. `table.py` says
of each what it reads, writes, aliases and makes.
"""

from __future__ import annotations

from tensorgrad.backends.primitives.basic import (
    INDEX,
    Array,
    Axis,
    Primitives,
    Shape,
    delivered,
)
from tensorgrad.backends.primitives.results import Spec
from tensorgrad.backends.primitives.table import TABLE, Row, names

__all__ = ["INDEX", "TABLE", "Array", "Axis", "Primitives", "Row", "Shape", "Spec", "delivered", "names"]
