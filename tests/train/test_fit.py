"""The training loop: means, orders, modes, kinds of data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.train import evaluate, fit, predict
from tests.train.tools import linear, mse, regression


def test_finds_the_line_that_made_the_data() -> None:
    model = linear()
    history = fit(model, regression(), mse, tg.optim.Adam(model.parameters(), lr=0.1), epochs=150, progress=False)
    np.testing.assert_allclose(model.weight.detach().numpy(), [[1.0, -2.0, 0.5]], atol=1e-3)
    np.testing.assert_allclose(model.state_dict()["bias"].numpy(), [3.0], atol=1e-3)
    assert len(history.time) == 150
    assert min(history.time) > 0


@pytest.mark.parametrize("batch_size", [1, 3, 7, 50, 100])
def test_means_weigh_every_sample_alike(batch_size: int) -> None:
    model, (x, y) = linear(), regression()
    error = (
        x.numpy().astype(np.float64) @ model.weight.detach().numpy().T + model.state_dict()["bias"].numpy() - y.numpy()
    )
    expected, bias = float((error**2).mean()), float(error.mean())
    metrics = {"bias": lambda output, target: (output - target).mean()}
    optimizer = tg.optim.SGD(model.parameters(), lr=0.0)
    history = fit(
        model,
        (x, y),
        mse,
        optimizer,
        epochs=1,
        batch_size=batch_size,
        validation=(x, y),
        metrics=metrics,
        progress=False,
    )
    assert history.train_loss == pytest.approx([expected], rel=1e-6)
    assert history.val_loss == pytest.approx([expected], rel=1e-6)
    assert history.metrics["bias"] == pytest.approx([bias], rel=1e-5)
    found = evaluate(model, (x, y), mse, batch_size=batch_size, metrics=metrics)
    assert found == pytest.approx({"loss": expected, "bias": bias}, rel=1e-5)
    in_batches = predict(model, x, batch_size=batch_size)
    np.testing.assert_allclose(in_batches.numpy(), model(x).detach().numpy(), rtol=1e-6)
    assert not in_batches.requires_grad


def test_metrics_without_validation_are_measured_after_each_epoch() -> None:
    model, data = linear(), regression()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05)
    history = fit(model, data, mse, optimizer, epochs=2, progress=False, metrics={"same": mse})
    assert history.metrics["same"] == pytest.approx([epoch.score for epoch in history.epochs], rel=1e-6)
    assert history.metrics["same"][-1] == pytest.approx(evaluate(model, data, mse)["loss"], rel=1e-6)
    assert history.train_loss[-1] > history.metrics["same"][-1]


def test_an_iterator_lasts_for_one_epoch() -> None:
    x, y = regression()
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
    for change in ({"data": iter([(x, y)])}, {"data": (x, y), "validation": (pair for pair in [(x, y)])}):
        with pytest.raises(
            tg.errors.ArgumentError, match=r"is an iterator \(\w+\), which is used up after the first of 2"
        ):
            fit(model, loss=mse, optimizer=optimizer, epochs=2, progress=False, **change)
    with pytest.raises(tg.errors.ArgumentError, match="metrics are measured after each epoch"):
        fit(model, iter([(x, y)]), mse, optimizer, epochs=1, progress=False, metrics={"m": mse})
    before = evaluate(model, (x, y), mse)["loss"]
    history = fit(model, iter([(x, y)]), mse, optimizer, epochs=1, progress=False)
    assert history.train_loss == pytest.approx([before], rel=1e-6)
    assert history.epochs[0].score == history.train_loss[0]


def test_a_data_set_of_ones_own_is_fitted() -> None:
    x, y = regression()

    class Pairs(tg.data.Dataset):
        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, index: int) -> tuple[tg.Tensor, tg.Tensor]:
            return x[index], y[index]

    assert weights_after(1, Pairs(), batch_size=8) == weights_after(1, batch_size=8)


def weights_after(seed: int | None, data: object = None, **options: object) -> bytes:
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05)
    fit(model, data or regression(), mse, optimizer, epochs=2, seed=seed, progress=False, **options)  # type: ignore[arg-type]
    return model.weight.detach().numpy().tobytes()


def test_seed_decides_the_order() -> None:
    assert weights_after(1) == weights_after(1)
    assert weights_after(1) != weights_after(2)
    tg.manual_seed(5)
    assert weights_after(None) == weights_after(None)  # linear() seeds the default generator


def test_kinds_of_data_agree() -> None:
    x, y = regression()
    expected = weights_after(1, batch_size=8)
    assert weights_after(1, TensorDataset(x, y), batch_size=8) == expected
    generator = tg.random.Generator("cpu").manual_seed(1)
    assert weights_after(None, DataLoader(TensorDataset(x, y), 8, shuffle=True, generator=generator)) == expected
    one_batch = weights_after(1, batch_size=50)
    assert np.allclose(np.frombuffer(weights_after(1, [(x, y)]), np.float32), np.frombuffer(one_batch, np.float32))


def test_modes_during_and_after() -> None:
    seen: list[tuple[str, bool]] = []

    class Watched(tg.nn.Linear):
        def forward(self, input: tg.Tensor) -> tg.Tensor:
            seen.append(("train" if tg.is_grad_enabled() else "eval", self.training))
            return super().forward(input)

    model = tg.nn.Sequential(Watched(3, 1), tg.nn.Dropout(0.5))
    model[1].eval()
    x, y = regression(4)
    fit(
        model,
        (x, y),
        mse,
        tg.optim.SGD(model.parameters(), lr=0.0),
        epochs=2,
        validation=(x, y),
        progress=False,
    )
    assert seen == [("train", True), ("eval", False)] * 2
    assert [module.training for module in model.modules()] == [True, True, False]
    predict(model, x)
    evaluate(model, (x, y), mse)
    assert [module.training for module in model.modules()] == [True, True, False]


def test_clipping_limits_the_step() -> None:
    model, (x, y) = linear(), regression(8)
    before = np.concatenate([p.detach().numpy().ravel().copy() for p in model.parameters()])
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    fit(model, (x, y), mse, optimizer, epochs=1, batch_size=8, clip_norm=0.01, progress=False)
    after = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    assert np.linalg.norm(after - before) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_arrays_train_like_the_tensors_of_their_values(dtype: Any) -> None:
    x, y = regression()
    arrays = x.numpy().astype(dtype), y.numpy().astype(dtype)
    assert weights_after(1, arrays, validation=arrays) == weights_after(1, (x, y), validation=(x, y))
    assert weights_after(1, (x, arrays[1])) == weights_after(1, (x, y))
    model = linear()
    assert evaluate(model, arrays, mse) == evaluate(model, (x, y), mse)
    assert predict(model, arrays[0]).tolist() == predict(model, x).tolist()
    assert predict(model.double(), arrays[0]).dtype == tg.float64


def test_integer_arrays_are_labels() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    inputs = np.eye(3)[labels]
    model = tg.nn.Linear(3, 3)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
    fit(model, (inputs, labels), tg.nn.CrossEntropyLoss(), optimizer, epochs=20, progress=False)
    assert (predict(model, inputs).argmax(1).numpy() == labels).all()


def test_a_table_is_fitted(tmp_path: Any) -> None:
    x, y = regression()
    path = tmp_path / "table.csv"
    np.savetxt(path, np.hstack([x.numpy(), y.numpy()]), delimiter=",", header="a,b,c,y", comments="", fmt="%.9g")
    assert weights_after(1, tg.data.read_csv(path)) == weights_after(1, (x, y))
