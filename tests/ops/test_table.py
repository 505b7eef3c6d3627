"""Every case of every family goes through every check that applies to it."""

from __future__ import annotations

from collections import Counter

import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.ops.table import CHECKS, Case, DType, all_checks, families

GIVE_NO_TENSOR = ("allclose", "equal", "is_floating_point", "is_tensor", "numel", "result_type")  # tested elsewhere


def test_every_family_is_importable() -> None:
    assert families().cases
    assert not families().broken


def test_names_are_unique() -> None:
    names = Counter(case.name for cases in families().cases.values() for case in cases)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_function_has_a_case() -> None:
    """One that is called as the function, or begins with its name and a dash."""
    functions = {f for module in (tg, F) for f in (getattr(module, name) for name in module.__all__)}
    wanted = {f.__name__ for f in functions if getattr(f, "__module__", "").startswith("tensorgrad.functional.")}
    found = {case.name.partition("-")[0] for cases in families().cases.values() for case in cases}
    assert sorted(wanted - found - set(GIVE_NO_TENSOR)) == []


@pytest.mark.parametrize(("case", "dtype", "check"), [pytest.param(*rest, id=name) for name, *rest in all_checks()])
def test_case(case: Case, dtype: DType, check: str) -> None:
    CHECKS[check](case, dtype)
