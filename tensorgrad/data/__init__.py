"""Data: readers, the embedded digits and irises, data sets and the batches they are handed out in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.data.csv_reader import read_csv, read_csv_inputs
from tensorgrad.data.dataset import Dataset, Subset, TensorDataset
from tensorgrad.data.digits import digits, digits_table
from tensorgrad.data.imputer import Imputer
from tensorgrad.data.iris import iris_table
from tensorgrad.data.loader import DataLoader
from tensorgrad.data.npz_reader import read_npz
from tensorgrad.data.split import random_split, train_val_test_split
from tensorgrad.data.standardize import Standardizer
from tensorgrad.data.table import Table
from tensorgrad.names import listing

__all__ = [
    "DataLoader",
    "Dataset",
    "Imputer",
    "Standardizer",
    "Subset",
    "Table",
    "TensorDataset",
    "digits",
    "digits_table",
    "iris_table",
    "random_split",
    "read_csv",
    "read_csv_inputs",
    "read_npz",
    "train_val_test_split",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)
