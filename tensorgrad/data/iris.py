"""The irises that come with the package: Fisher's measurements of 150 flowers of three species.

R. A. Fisher (1936), UCI Machine Learning Repository, CC BY 4.0; see assets/LICENSE-iris.txt.
"""

from __future__ import annotations

from pathlib import Path

from tensorgrad.data.csv_reader import read_csv
from tensorgrad.data.table import Table

__all__ = ["IRIS_FILE", "iris_table"]

IRIS_FILE = Path(__file__).parent / "assets" / "iris.csv"


def iris_table() -> Table:
    """Sepals and petals in centimetres, inputs float64 of shape (150, 4); the species setosa, versicolor, virginica."""
    return read_csv(IRIS_FILE, target="species")
