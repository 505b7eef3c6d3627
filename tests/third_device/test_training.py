"""Random numbers, training and saving there: the CPU's numbers to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.nn import functional as F

PLACES = ["third:0", "third:1"]


# ---------------------------------------------------------------------- random numbers
DRAWS: dict[str, Callable[[Any, Any], tg.Tensor]] = {
    "rand": lambda place, g: tg.rand(7, 5, generator=g, device=place),
    "randn": lambda place, g: tg.randn(33, generator=g, device=place, dtype=tg.float64),
    "randint": lambda place, g: tg.randint(-3, 1000, (40,), generator=g, device=place),
    "randperm": lambda place, g: tg.randperm(30, generator=g, device=place),
    "bernoulli": lambda place, g: tg.bernoulli(tg.full((50,), 0.3, device=place), generator=g),
    "normal_": lambda place, g: tg.zeros(9, device=place).normal_(1.0, 2.0, generator=g),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_numbers_are_the_cpus(draw: Callable[[Any, Any], tg.Tensor], place: str) -> None:
    found, own = [], []
    for where in ("cpu", place):
        tg.manual_seed(7)
        found.append([draw(where, None).tolist() for _ in range(2)])
        generator = tg.Generator(where).manual_seed(5)
        own.append([draw(where, generator).tolist(), generator.get_state().tolist(), generator.initial_seed()])
    assert found[0] == found[1]
    assert own[0] == own[1]


def test_all_devices_draw_from_one_stream() -> None:
    tg.manual_seed(3)
    expected = [tg.rand(5).tolist() for _ in range(5)]
    tg.manual_seed(3)
    places = ["cpu", "third:0", "third:1", "cpu", "third:1"]
    assert [tg.rand(5, device=place).tolist() for place in places] == expected
    state = tg.get_rng_state("third")
    later = tg.rand(3).tolist()
    tg.set_rng_state(state, "third:1")
    assert tg.rand(3, device="third").tolist() == later


# ---------------------------------------------------------------------- training
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 6)).astype(np.float32)
LABELS = np.argmax(X[:, :3] + 0.3 * X[:, 3:], axis=1)
OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=1e-3),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.001, momentum=0.5, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
}


def _trained(place: str, optimizer: str, data: Any) -> tuple[nn.Module, optim.Optimizer, list[float]]:
    tg.manual_seed(0)
    model = nn.MLP([6, 16, 3], dropout=0.1, device=place)
    stepper = OPTIMIZERS[optimizer](model.parameters())
    history = tg.train.fit(
        model,
        data,
        nn.CrossEntropyLoss(label_smoothing=0.05),
        stepper,
        epochs=4,
        batch_size=16,
        validation=data,
        metrics={"accuracy": tg.train.accuracy},
        clip_norm=0.5,
        progress=False,
    )
    return model, stepper, [*history.train_loss, *history.val_loss]


def _values(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _values(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_values(v) for v in tree]
    return tree.tolist() if isinstance(tree, tg.Tensor) else tree


def _places(tree: Any) -> set[str]:
    if isinstance(tree, (dict, list, tuple)):
        return set().union(*map(_places, tree.values() if isinstance(tree, dict) else tree))
    return {str(tree.device)} if isinstance(tree, tg.Tensor) else set()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fit_finds_the_cpus_losses_and_weights(optimizer: str, place: str) -> None:
    here, its_stepper, expected = _trained("cpu", optimizer, (X, LABELS))
    there, stepper, losses = _trained(place, optimizer, (X, LABELS))
    assert losses == expected
    assert losses[3] < losses[0]
    assert _values(there.state_dict()) == _values(here.state_dict())
    assert _values(stepper.state_dict()) == _values(its_stepper.state_dict())
    assert _places([there.state_dict(), stepper.state_dict()]) == {place}
    assert str(tg.train.predict(there, X).device) == place
    judged = [tg.train.evaluate(m, (X, LABELS), nn.CrossEntropyLoss(), batch_size=25) for m in (here, there)]
    assert judged[0] == judged[1]


@pytest.mark.parametrize("kind", ["moved before", "moved batch by batch", "subset", "loader"])
def test_fit_takes_the_data_from_wherever_they_are(kind: str) -> None:
    dataset = tg.data.TensorDataset(tg.tensor(X), tg.tensor(LABELS))
    makers: dict[str, Callable[[str], Any]] = {
        "moved before": lambda place: dataset.to(place),
        "moved batch by batch": lambda place: dataset,
        "subset": lambda place: tg.data.Subset(dataset, range(60)).to(place),
        "loader": lambda place: tg.data.DataLoader(dataset, 16),
    }
    losses = [_trained(place, "adam", makers[kind](place))[2] for place in ("cpu", *PLACES)]
    assert losses[0] == losses[1] == losses[2]


def test_a_loss_that_is_not_finite_ends_the_training_with_the_weights_of_the_start() -> None:
    model = nn.Sequential(nn.Linear(6, 1), nn.Sigmoid()).to("third")
    start = _values(model.state_dict())
    data = (X * np.float32(np.inf), (LABELS[:, None] > 0).astype(np.float32))  # inf - inf: nan probabilities
    history = tg.train.fit(
        model, data, F.binary_cross_entropy, optim.SGD(model.parameters(), lr=1e38), epochs=3, progress=False
    )
    assert history.stop_reason == "non-finite loss"
    assert _values(model.state_dict()) == start


def test_what_is_saved_there_is_loaded_anywhere(tmp_path: Path) -> None:
    model, stepper, _ = _trained("third", "adam", (X, LABELS))
    path = tmp_path / "all.safetensors"
    saved = {"model": model.state_dict(), "optimizer": stepper.state_dict(), "rng": tg.get_rng_state("third")}
    tg.save(saved, path)
    for options, place in (
        ({"map_location": "third:1"}, "third:1"),
        ({"device": tg.device("third")}, "third:0"),
        ({"map_location": "cpu"}, "cpu"),
        ({}, "cpu"),
    ):
        loaded = tg.load(path, **options)
        assert _places(loaded) == {place}
        assert _values(loaded) == _values(saved)
        other = nn.MLP([6, 16, 3], dropout=0.1, device="third:1")
        other.load_state_dict(loaded["model"])
        again = OPTIMIZERS["adam"](other.parameters())
        again.load_state_dict(loaded["optimizer"])
        assert _places([other.state_dict(), again.state_dict()]) == {"third:1"}
        assert _values(other.state_dict()) == _values(saved["model"])
        F.cross_entropy(other(tg.tensor(X, device="third:1")), tg.tensor(LABELS, device="third:1")).backward()
        again.step()


def test_the_tape_runs_there_in_every_respect() -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64, device="third", requires_grad=True)
    y = x * 2
    y[0].mul_(3)
    y[tg.tensor([1], device="third")] = y[:1] + 1
    (y * y).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[6 * (12 + 14), 6 * (24 + 26)], [0, 0]]
    (g,) = tg.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert h.tolist() == [[6, 12], [18, 24]]
    assert tg.autograd.gradcheck(lambda x: tg.softmax(x @ x, 1).log(), x)
    assert tg.autograd.gradgradcheck(lambda x: tg.logsumexp(x.T * x, 1), x, fast_mode=True)
