"""The examples run, and print the numbers of the texts they follow."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


def test_one_neuron_falls_from_3_61_to_2_87(capsys: pytest.CaptureFixture[str]) -> None:
    printed = output_of("one_neuron.py", capsys)
    assert re.findall(r"loss (\d\.\d\d)", printed) == ["3.61", "2.87"]


def test_house_price_has_every_number_of_the_worked_example(capsys: pytest.CaptureFixture[str]) -> None:
    printed = output_of("house_price.py", capsys)
    assert "hidden sums [32.0, 19.0]   prediction 925   loss 330,625" in printed
    for gradient in ("46,000,000", "69,000", "34,500,000", "51,750", "36,800", "21,850"):
        assert f"= {gradient}\n" in printed
    for weight in ("-4.59900", "9.99310", "-3.44800", "4.99482", "19.99632", "14.99781"):
        assert f"= {weight}\n" in printed
    assert "prediction 0   loss 122,500" in printed
    assert "both ReLUs have died" in printed
    assert "all six are exactly 0" in printed


def test_a_table_of_ones_own_is_read_and_learned(capsys: pytest.CaptureFixture[str]) -> None:
    printed = output_of("own_table.py", capsys)
    assert "features rooms, area, town=Köln, town=Ulm; 12 cells of area are empty" in printed
    found = re.search(r"prices off by ([\d.]+) of their deviation", printed)
    assert found is not None
    assert float(found[1]) < 0.2
    new = re.search(r"Ulm, 2 rooms, 60 square metres: (\d+); in Köln (\d+)", printed)
    assert new is not None
    assert 25_000 < int(new[2]) - int(new[1]) < 75_000


def test_digits_learns(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"test accuracy ([\d.]+)%", output_of("digits.py", capsys))
    assert found is not None
    assert float(found[1]) >= 95
