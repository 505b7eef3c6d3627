"""state_dict and load_state_dict: PyTorch's keys, round trips, and an error that lists everything at once."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests.nn.test_module import Block, Model


def test_keys_are_pytorchs() -> None:
    """Own parameters, own persistent buffers, then the children; what is shared under each of its names."""
    assert list(Block().state_dict()) == [
        "scale",
        "mean",
        "first.weight",
        "first.bias",
        "again.weight",
        "again.bias",
    ]
    assert list(nn.MLP([4, 3, 2]).state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert list(nn.MLP([4, 3, 2], dropout=0.1).state_dict(prefix="net.")) == [
        "net.0.weight",
        "net.0.bias",
        "net.3.weight",
        "net.3.bias",
    ]
    assert nn.Linear(3, 5).state_dict()["weight"].shape == (5, 3)
    assert list(nn.CrossEntropyLoss(weight=tg.ones(3)).state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []


def test_values_share_memory_and_have_no_history() -> None:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].fill_(7.0)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.full((2, 2), 7.0))


@pytest.mark.parametrize("form", ["tensors", "arrays"])
def test_round_trip(form: str) -> None:
    source, target = Model(), Model()
    state = {k: v.detach().numpy() if form == "arrays" else v for k, v in source.state_dict().items()}
    held = list(target.parameters())
    result = target.load_state_dict(state)
    assert result == ([], [])
    assert list(target.parameters()) == held or all(a is b for a, b in zip(target.parameters(), held, strict=True))
    for name, value in target.state_dict().items():
        np.testing.assert_array_equal(value.detach().numpy(), source.state_dict()[name].detach().numpy())
    with tg.no_grad():
        source.head.weight.zero_()
    assert (target.head.weight.detach().numpy() != 0).all()  # a copy, not the same memory


def test_dtypes_are_converted_to_the_modules() -> None:
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.asarray([[0.1, 0.2]]), "bias": np.asarray([3])})
    assert layer.weight.dtype == np.float32
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.asarray([[0.1, 0.2]], np.float32))
    assert layer.weight.requires_grad


def test_everything_that_does_not_fit_is_listed_and_nothing_is_changed() -> None:
    model = nn.MLP([4, 3, 2])
    before = {k: v.detach().numpy().copy() for k, v in model.state_dict().items()}
    state = {"0.weight": np.zeros((4, 3)), "0.bias": np.zeros(3), "2.weight": "text", "extra": np.zeros(1)}
    with pytest.raises(tg.errors.ArgumentError) as caught:
        model.load_state_dict(state)
    lines = str(caught.value).splitlines()
    assert lines[0] == "load_state_dict: the mapping does not fit this MLP; nothing was changed"
    assert [line.strip() for line in lines[1:]] == [
        "missing keys: 2.bias",
        "unexpected keys: extra",
        "does not fit: 0.weight: expected shape (3, 4), got (4, 3)",
        "does not fit: 2.weight: expected a tensor, got str",
    ]
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.detach().numpy(), before[name])


def test_not_strict_loads_what_fits() -> None:
    layer = nn.Linear(2, 1)
    bias = layer.bias.detach().numpy().copy() if layer.bias is not None else None
    result = layer.load_state_dict({"weight": np.ones((1, 2)), "extra": np.zeros(1)}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["extra"]
    np.testing.assert_array_equal(layer.weight.detach().numpy(), [[1.0, 1.0]])
    np.testing.assert_array_equal(layer.state_dict()["bias"].detach().numpy(), bias)
    with pytest.raises(tg.errors.ArgumentError, match=r"weight: expected shape \(1, 2\), got \(2, 1\)"):
        layer.load_state_dict({"weight": np.ones((2, 1))}, strict=False)
    with pytest.raises(tg.errors.ArgumentError, match="strict=False"):
        layer.load_state_dict({})
    with pytest.raises(tg.errors.ArgumentError, match=r"unexpected keys: extra\n  pass strict=False"):
        layer.load_state_dict({**layer.state_dict(), "extra": np.zeros(1)})
    with pytest.raises(tg.errors.ArgumentError, match="expected a mapping from names to tensors, got list"):
        layer.load_state_dict([])  # type: ignore[arg-type]


def test_weights_that_lie_deeper_are_found() -> None:
    layer = nn.Linear(2, 1)
    saved = {"model": nn.Linear(2, 1).state_dict(), "epoch": 3}
    for strict in (True, False):
        with pytest.raises(tg.errors.ArgumentError, match=r"the weights are under \['model'\]; pass load_state_dict\("):
            layer.load_state_dict(saved, strict=strict)
    layer.load_state_dict(saved["model"])  # type: ignore[arg-type]
