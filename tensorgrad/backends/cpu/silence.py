"""Results that are infinite or nan come without a warning, as on every other device, whatever filters warnings have.

NumPy warns in the name of the frame that called it, and an interpreter whose modules have lost their names is shutting
down: it drops what is said in the name of None. So a module without a name is silent at no cost at all. A filter does
not hold (`-W error`, pytest and `catch_warnings` put others before it), and NumPy's own error state, set and put back
around each call, takes a tenth of the time that an operation may.
"""

from __future__ import annotations

import sys

__all__ = ["silence"]


def silence(*packages: str) -> None:
    """Let no module of `packages` that has been imported be warned: take their names away.

    Classes and functions in them know where they are from all the same, and importing goes by other attributes.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(packages):
            module.__dict__["__name__"] = None
