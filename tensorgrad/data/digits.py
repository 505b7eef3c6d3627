"""The handwritten digits that come with the package: UCI 'Optical Recognition of Handwritten Digits', test
part.

E. Alpaydin and C. Kaynak (1998), CC BY 4.0; see assets/LICENSE-digits.txt.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.backends import Device
from tensorgrad.creation import tensor
from tensorgrad.data.dataset import TensorDataset
from tensorgrad.data.table import Table

__all__ = ["digits", "digits_table"]

_BRIGHTEST = 16


@hinted
def digits(device: str | Device | None = None) -> TensorDataset:
    """1,797 images of 8x8 pixels and their digits: inputs float32 in [0, 1], shape (1797, 64); labels int64,
    (1797,).
    """
    table = digits_table()
    images = (table.inputs / _BRIGHTEST).astype(np.float32)
    return TensorDataset(tensor(images, device=device), tensor(table.targets, device=device))


def digits_table() -> Table:
    """The same images with their pixels as the file has them, 0 to 16."""
    with np.load(Path(__file__).parent / "assets" / "digits.npz", allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    names = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
    return Table(
        inputs=images.reshape(len(images), -1).astype(np.float64),
        targets=labels.astype(np.int64),
        task="classification",
        feature_names=names,
        classes=tuple(str(digit) for digit in range(10)),
        target_name="digit",
        columns=(*names, "digit"),
        alike=True,
    )
