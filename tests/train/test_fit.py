"""The training loop: means, orders, modes, evaluation, prediction, progress."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.train import Epoch, History, accuracy, evaluate, fit, predict


def regression(count: int = 50) -> tuple[tg.Tensor, tg.Tensor]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)).astype(np.float32)
    y = (x @ [[1.0], [-2.0], [0.5]] + 3.0).astype(np.float32)
    return tg.tensor(x), tg.tensor(y)


def linear(seed: int = 0) -> tg.nn.Linear:
    tg.manual_seed(seed)
    return tg.nn.Linear(3, 1)


def mse(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
    return (output - target).square().mean()


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


def test_dropout_is_off_in_evaluation() -> None:
    tg.manual_seed(0)
    model = tg.nn.MLP([3, 16, 1], dropout=0.9)
    x, _ = regression()
    assert np.array_equal(predict(model, x).numpy(), predict(model, x).numpy())


def test_clipping_limits_the_step() -> None:
    model, (x, y) = linear(), regression(8)
    before = np.concatenate([p.detach().numpy().ravel().copy() for p in model.parameters()])
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    fit(model, (x, y), mse, optimizer, epochs=1, batch_size=8, clip_norm=0.01, progress=False)
    after = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    assert np.linalg.norm(after - before) == pytest.approx(0.01, rel=1e-3)


def test_several_inputs() -> None:
    class Sum(tg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tg.nn.Parameter(tg.ones(()))

        def forward(self, a: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
            return (a + 10 * b) * self.scale

    model, a, b = Sum(), tg.ones(4, 1), 2 * tg.ones(4, 1)
    found = evaluate(model, (a, b, 21 * tg.ones(4, 1)), mse)
    assert found["loss"] == pytest.approx(0.0)


def test_accuracy() -> None:
    output = tg.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    assert accuracy(output, tg.tensor([0, 1, 1])).item() == pytest.approx(2 / 3)
    with pytest.raises(tg.errors.ShapeError, match=r"got \(3, 2\) and \(3, 1\)"):
        accuracy(output, tg.zeros(3, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1 epoch, got 0"),
        ({"clip_norm": 0.0}, "clip_norm must be positive, got 0.0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"data": (tg.zeros(2, 3),)}, "must hold inputs and, last, the target; got 1 tensor"),
        ({"data": (tg.zeros(0, 3), tg.zeros(0, 1))}, "the data gave no batch"),
        (
            {"loss": lambda o, t: (o - t).square()},
            r"one number for a batch, got shape \(32, 1\); use reduction='mean'",
        ),
    ],
)
def test_refuses_bad_arguments(change: dict[str, object], message: str) -> None:
    model = linear()
    arguments: dict[str, object] = {
        "data": regression(),
        "loss": mse,
        "epochs": 1,
        "progress": False,
        **change,
    }
    call: Callable[..., History] = fit
    with pytest.raises(tg.errors.ArgumentError, match=message):
        call(model, optimizer=tg.optim.SGD(model.parameters(), lr=0.1), **arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"optimizer": None}, tg.errors.DTypeError, "fit: optimizer must be an Optimizer, got NoneType; make one"),
        ({"optimizer": tg.optim.Adam}, tg.errors.DTypeError, "optimizer must be an Optimizer, got the class Adam"),
        ({"optimizer": mse, "loss": None}, tg.errors.DTypeError, r"fit: loss must be a function .*, got NoneType"),
        (
            {"optimizer": mse, "loss": tg.optim.SGD([tg.zeros(1)])},
            tg.errors.DTypeError,
            r"loss must be a function .*, got SGD; it comes third: fit\(model, data, loss, ...\)",
        ),
        ({"loss": "mse"}, tg.errors.DTypeError, r"such as nn\.CrossEntropyLoss\(\), got str"),
        ({"loss": tg.nn.MSELoss}, tg.errors.DTypeError, r"loss is the class MSELoss; call it: nn\.MSELoss\(\)"),
        ({"model": tg.nn.Linear}, tg.errors.DTypeError, "fit: model must be a Module, got the class Linear"),
        (
            {"optimizer": tg.optim.Adam(tg.nn.Linear(3, 1).parameters())},
            tg.errors.ArgumentError,
            "the optimizer has none of the model's parameters and would train nothing",
        ),
        ({"data": tg.zeros(4, 3)}, tg.errors.DTypeError, r"data must be a tuple \(inputs, targets\) .* got Tensor"),
        ({"data": np.zeros((4, 3))}, tg.errors.DTypeError, r"fit: data must be a tuple .* got numpy\.ndarray"),
        ({"data": 7}, tg.errors.DTypeError, "fit: data must be .* got int"),
        ({"data": "a.csv"}, tg.errors.DTypeError, "fit: data must be .* got str"),
        ({"data": ([[1.0]], [1.0])}, tg.errors.DTypeError, r"fit: data\[0\] must be a Tensor or .* array, got list"),
        (
            {"data": (np.zeros((2, 3)), np.array(["a", "b"]))},
            tg.errors.DTypeError,
            r"fit: data\[1\] must hold numbers, got dtype <U1",
        ),
        ({"data": list(regression())}, tg.errors.DTypeError, "a batch must be a tuple .* got Tensor; .* not a list"),
        ({"validation": 0.2}, tg.errors.DTypeError, "fit: validation must be .* got float"),
        ({"epoch": 3}, TypeError, "fit: there is no argument 'epoch'; did you mean epochs?"),
        ({"validation_data": 3}, TypeError, "no argument 'validation_data'; did you mean validation?"),
        ({"nonsense": 3}, TypeError, "no argument 'nonsense'; there are model, data, loss, optimizer, epochs"),
    ],
)
def test_says_what_is_wrong_with_an_argument(change: dict[str, Any], error: type[Exception], message: str) -> None:
    model = linear()
    arguments: dict[str, Any] = {
        "model": model,
        "data": regression(),
        "loss": mse,
        "optimizer": tg.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 1,
        "progress": False,
        **change,
    }
    before = model.weight.detach().numpy().copy()
    with pytest.raises(error, match=message):
        fit(**arguments)
    assert np.array_equal(model.weight.detach().numpy(), before)


def test_evaluate_and_predict_say_so_too() -> None:
    model, data = linear(), regression()
    with pytest.raises(tg.errors.DTypeError, match=r"evaluate: loss is the class MSELoss; call it"):
        evaluate(model, data, tg.nn.MSELoss)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.DTypeError, match=r"evaluate: data must be a tuple .* got numpy\.ndarray"):
        evaluate(model, data[0].numpy(), mse)
    with pytest.raises(tg.errors.DTypeError, match="predict: inputs must be a Tensor or a NumPy array, got list"):
        predict(model, [[1.0, 2.0, 3.0]])  # type: ignore[arg-type]
    with pytest.raises(tg.errors.DTypeError, match="predict: model must be a Module, got function"):
        predict(mse, data[0])  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (2, "stopped by Ctrl-C after 2 epochs; the model has the weights of epoch 2"),
        (1, "stopped by Ctrl-C after 1 epoch; the model has the weights of epoch 1"),
        (0, "stopped by Ctrl-C before the end of the first epoch; the model has the weights of that moment"),
    ],
)
def test_an_interrupt_is_told(capsys: pytest.CaptureFixture[str], epochs: int, message: str) -> None:
    for shown in (True, False):
        model, seen = linear(), 0

        def loss(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
            nonlocal seen
            seen += output.requires_grad
            if seen > epochs:
                raise KeyboardInterrupt
            return mse(output, target)

        optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
        fit(model, regression(), loss, optimizer, epochs=9, batch_size=50, progress=shown)
        assert capsys.readouterr().err.splitlines()[epochs:] == ([message] if shown else [])


def test_plain_progress(capsys: pytest.CaptureFixture[str]) -> None:
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.0)
    history = fit(model, regression(), mse, optimizer, epochs=40)
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert len(lines) == 10
    assert lines[-1] == f"epoch 40/40  train loss {history.train_loss[-1]:.4f}"
    assert "\x1b" not in shown.err
    fit(model, regression(), mse, optimizer, epochs=2, progress=False)
    assert capsys.readouterr() == ("", "")


def test_epochs_read_well() -> None:
    assert str(Epoch(0.5, None, {"accuracy": 0.98}, 1.0, 0.4)) == "train loss 0.5000  accuracy 0.9800"
    assert str(Epoch(7.17113289744804e28, 99999.0, {"a": 0.0}, 1.0, 0.4)) == (
        "train loss 7.171e+28  val loss 99999.0000  a 0.0000"
    )
    assert str(Epoch(1e5, 0.0001, {"a": 0.0000321987, "b": -2e6}, 1.0, 0.4)) == (
        "train loss 1e+05  val loss 0.0001  a 3.22e-05  b -2e+06"
    )


def test_rich_is_imported_for_bars_only() -> None:
    code = (
        "import sys, tensorgrad as tg\n"
        "m = tg.nn.Linear(1, 1)\n"
        "d = (tg.ones(2, 1), tg.ones(2, 1))\n"
        "o = tg.optim.SGD(m.parameters(), lr=.1)\n"
        "tg.train.fit(m, d, tg.nn.functional.mse_loss, o, epochs=1, progress=False)\n"
        "print(sorted({'rich', 'matplotlib', 'argparse', 'safetensors'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
