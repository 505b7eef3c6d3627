"""The embedded digits are the published ones, to the last pixel."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

import tensorgrad as tg
from tensorgrad.data import digits, digits_table

# Of pixels and labels as bytes, taken from the copy that scikit-learn 1.9.1 distributes.
PUBLISHED = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_every_pixel_and_label() -> None:
    table = digits_table()
    assert table.targets is not None
    content = table.inputs.astype(np.uint8).tobytes() + table.targets.astype(np.uint8).tobytes()
    assert hashlib.sha256(content).hexdigest() == PUBLISHED
    assert len(table.feature_names) == 64
    assert table.classes == tuple("0123456789")


def test_data_set_is_scaled_to_one() -> None:
    x, y = digits().tensors
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((1797, 64), tg.float32, (1797,), tg.int64)
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)
    assert np.array_equal(x.numpy() * 16, digits_table().inputs)
    assert np.bincount(y.numpy()).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_licence_and_source_lie_beside_the_data() -> None:
    text = (Path(tg.data.__file__).parent / "assets" / "LICENSE-digits.txt").read_text()
    for needed in (
        "CC BY 4.0",
        "Alpaydin",
        "Kaynak",
        "1998",
        "Optical Recognition of Handwritten Digits",
        "test part",
    ):
        assert needed in text
