"""The irises are the published ones, to the last digit."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np

import tensorgrad as tg
from tensorgrad.data import iris_table

# Of the numbers as float64 and the labels as bytes, taken from the copy that scikit-learn 1.9.1 distributes.
PUBLISHED = "b6ae2f075937fb96b4d06f56b6b12a23dcf0db8d27f41824f0fa7ca6e8559b4c"


def test_every_number_and_label() -> None:
    table = iris_table()
    assert table.targets is not None
    content = struct.pack("<600d", *table.inputs.reshape(-1).tolist()) + bytes(table.targets.tolist())
    assert hashlib.sha256(content).hexdigest() == PUBLISHED
    assert table.classes == ("setosa", "versicolor", "virginica")
    assert table.feature_names == ("sepal_length", "sepal_width", "petal_length", "petal_width")
    assert (table.target_name, np.bincount(table.targets).tolist()) == ("species", [50, 50, 50])


def test_the_two_flowers_are_those_of_fishers_paper() -> None:
    """The 35th and the 38th, as the licence's file says."""
    assert iris_table().inputs[[34, 37]].tolist() == [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]]


def test_licence_and_source_lie_beside_the_data() -> None:
    text = (Path(tg.data.__file__).parent / "assets" / "LICENSE-iris.txt").read_text()
    for needed in ("CC BY 4.0", "Fisher", "1936", "Iris", "10.24432/C56C76", "Changes made"):
        assert needed in text
