"""`train.fit` and `train.predict` where model and data are on different devices, or both on the CUDA one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 6)).astype(np.float32)
LABELS = np.argmax(X[:, :3] + 0.3 * X[:, 3:], axis=1)


def losses_of(place: tg.Device | str, data: Any) -> list[float]:
    tg.manual_seed(0)
    model = nn.MLP([6, 16, 3], dropout=0.1, device="cpu").to(place)
    tg.manual_seed(1)  # the same masks on either device
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-2)
    history = tg.train.fit(
        model, data, nn.CrossEntropyLoss(), optimizer, epochs=4, batch_size=16, validation=data, progress=False
    )
    assert next(model.parameters()).device is tg.device(place)
    return [*history.train_loss, *history.val_loss]


@pytest.mark.parametrize("kind", ["moved before", "moved batch by batch", "subset", "loader", "arrays"])
def test_fit_finds_the_cpus_losses_wherever_the_data_are(kind: str, cuda_device: tg.Device) -> None:
    dataset = tg.data.TensorDataset(tg.tensor(X), tg.tensor(LABELS))
    makers: dict[str, Callable[[], Any]] = {
        "moved before": lambda: dataset.to(cuda_device),
        "moved batch by batch": lambda: dataset,
        "subset": lambda: tg.data.Subset(dataset, range(60)).to(cuda_device),
        "loader": lambda: tg.data.DataLoader(dataset, 16),
        "arrays": lambda: (X, LABELS),
    }
    data = makers[kind]()
    here: Any = tg.data.DataLoader(dataset, 16) if kind == "loader" else dataset
    np.testing.assert_allclose(losses_of(cuda_device, data), losses_of("cpu", here), rtol=1e-4)


def test_predictions_are_where_the_inputs_are(cuda_device: tg.Device) -> None:
    model = nn.MLP([6, 3], device=cuda_device)
    cpu = tg.device("cpu")
    here = tg.train.predict(model, tg.tensor(X), batch_size=25)
    there = tg.train.predict(model, tg.tensor(X, device=cuda_device))
    assert (here.device, there.device, tg.train.predict(model, X).device) == (cpu, cuda_device, cuda_device)
    np.testing.assert_allclose(here.numpy(), there.cpu().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(here.numpy(), model.cpu()(tg.tensor(X)).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_a_loss_that_refuses_nan_ends_the_training_with_the_weights_of_the_start(
    kind: str, cuda_device: tg.Device
) -> None:
    place = cuda_device if kind == "cuda" else tg.device("cpu")
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()).to(place)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    data = (X * np.float32(np.inf), (LABELS[:, None] > 0).astype(np.float32))  # inf - inf: nan probabilities
    optimizer = tg.optim.SGD(model.parameters(), lr=1e38)
    history = tg.train.fit(model, data, F.binary_cross_entropy, optimizer, epochs=3, progress=False)
    assert history.stop_reason == "non-finite loss"
    assert history.detail
    for name, value in model.state_dict().items():
        assert tg.equal(value, start[name])


def test_an_error_from_before_is_raised_as_what_it_is(cuda: tg.Device) -> None:
    _ = tg.zeros(2)[tg.tensor([9])]
    model = nn.MLP([6, 3])
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(tg.BoundsError, match="got 9"):
        tg.train.fit(model, (X, LABELS), nn.CrossEntropyLoss(), optimizer, epochs=1, progress=False)


def test_what_others_refuse_is_not_taken_for_the_loss() -> None:
    def refusing(*_: object) -> float:
        raise tg.NonFiniteError("a metric of one's own")

    model = nn.MLP([6, 3])
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(tg.NonFiniteError, match="a metric"):
        tg.train.fit(
            model, (X, LABELS), nn.CrossEntropyLoss(), optimizer, epochs=1, progress=False, metrics={"m": refusing}
        )


def test_hooks_see_and_change_the_same_as_on_the_cpu(cuda_device: tg.Device) -> None:
    class Halved(tg.train.Hook):
        def __init__(self) -> None:
            self.seen: list[tuple[float, float]] = []

        def before_step(self, state: tg.train.FitState) -> None:
            for p in state.model.parameters():
                assert p.grad is not None
                p.grad.mul_(0.5)

        def after_step(self, state: tg.train.FitState) -> None:
            self.seen.append((state.loss_value, state.gradient_norm))

    found = []
    for place in (cuda_device, tg.device("cpu")):
        tg.manual_seed(0)
        hook, model = Halved(), nn.MLP([6, 16, 3], device="cpu").to(place)
        optimizer = tg.optim.SGD(model.parameters(), lr=0.5)
        tg.train.fit(
            model, (X, LABELS), nn.CrossEntropyLoss(), optimizer, epochs=2, clip_norm=1.0, progress=False, hooks=hook
        )
        found.append(hook.seen)
    assert len(found[0]) == 4
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
