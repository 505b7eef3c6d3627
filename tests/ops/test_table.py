"""Every case of every family goes through every check that applies to it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.ops.table import CHECKS, Case, DType, all_checks, families


def test_every_family_is_importable() -> None:
    assert families().cases
    assert not families().broken


def test_names_are_unique() -> None:
    names = Counter(case.name for cases in families().cases.values() for case in cases)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(("case", "dtype", "check"), [pytest.param(*rest, id=name) for name, *rest in all_checks()])
def test_case(case: Case, dtype: DType, check: str) -> None:
    CHECKS[check](case, dtype)
