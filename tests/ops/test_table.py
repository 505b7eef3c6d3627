"""Every case of every family goes through every check that applies to it."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import pytest

import tests.ops
from tests.ops.table import CHECKS, Case, DType, checks_of

FAMILIES: dict[str, list[Case]] = {}
BROKEN: dict[str, Exception] = {}  # a family that cannot be imported fails alone

for _module in pkgutil.iter_modules(tests.ops.__path__, "tests.ops."):
    _family = _module.name.rpartition("cases_")[2]
    if _module.name == f"tests.ops.cases_{_family}":
        try:
            FAMILIES[_family] = importlib.import_module(_module.name).CASES
        except Exception as error:
            BROKEN[_family] = error

ALL = [case for cases in FAMILIES.values() for case in cases]


def test_every_family_is_importable() -> None:
    assert FAMILIES
    assert not BROKEN


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(case.name for case in ALL).items() if count > 1] == []


@pytest.mark.parametrize(
    ("case", "dtype", "check"),
    [
        pytest.param(case, dtype, check, id=f"{case.name}-{dtype}-{check}")
        for case in ALL
        for dtype, check in checks_of(case)
    ],
)
def test_case(case: Case, dtype: DType, check: str) -> None:
    CHECKS[check](case, dtype)
