"""The seam: a device whose arrays nobody but its backend can touch trains a network. See tests/opaque.py.

Whatever bypasses the backend breaks here, and would break on CUDA or in a recorded step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tests.opaque import OpaqueArray, OpaqueBackend, opaque_device
from tests.ops.table import CHECKS, Case, DType, all_checks

SIZES = [6, 16, 3]


class _NobodyHome:
    """Stands in for the CPU's backend while the other device works: any use of it is a bypass."""

    array_type = np.ndarray

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} ran on the CPU's backend")


@pytest.fixture
def device() -> tg.Device:
    return opaque_device()


@pytest.fixture
def calls(device: tg.Device) -> Counter[str]:
    assert isinstance(device.backend, OpaqueBackend)
    device.backend.calls.clear()
    return device.backend.calls


def _initial_weights() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (16, 6), "0.bias": (16,), "3.weight": (3, 16), "3.bias": (3,)}
    return {k: rng.standard_normal(s).astype(np.float32) * 0.4 for k, s in shapes.items()}


def _data() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((24, 6)).astype(np.float32)
    return x, np.argmax(x[:, :3] + 0.3 * x[:, 3:], axis=1)


class _Training:
    """An MLP with dropout, cross-entropy, clipping and Adam."""

    def __init__(self, device: tg.Device | str, dropout: float = 0.25) -> None:
        self.model = nn.MLP(SIZES, activation="relu", dropout=dropout, device=device)
        self.model.load_state_dict({k: tg.tensor(v, device=device) for k, v in _initial_weights().items()})
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.02, weight_decay=1e-3)
        self.x, self.labels = (tg.tensor(a, device=device) for a in _data())

    def step(self) -> tg.Tensor:
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(self.x), self.labels, label_smoothing=0.05)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.5)
        self.optimizer.step()
        return loss.detach()


def test_the_arrays_are_opaque(device: tg.Device) -> None:
    array: Any = tg.ones(2, 3, device=device).array
    assert type(array).__name__ == OpaqueArray.__name__
    assert (array.shape, array.ndim, array.dtype) == ((2, 3), 2, tg.float32)
    public = {name for name in dir(array) if not name.startswith("_")}
    assert public == {"shape", "dtype", "ndim"}
    touches: list[Callable[[], Any]] = [
        lambda: array + array,
        lambda: array * 2,
        lambda: 2 - array,
        lambda: array @ array,
        lambda: array[0],
        lambda: array == array,
        lambda: bool(array),
        lambda: len(array),
        lambda: float(array),
        lambda: np.asarray(array),
        lambda: np.add(array, array),
        lambda: np.sum(array),
        lambda: np.ones(3) * array,
        lambda: list(array),
    ]
    for touch in touches:
        with pytest.raises((TypeError, AssertionError)):
            touch()


def test_the_device_insists_on_equal_dtypes(device: tg.Device) -> None:
    B = device.backend
    x, mask, narrow = (B.full((2,), 1, dtype) for dtype in (tg.float32, tg.bool, tg.int8))
    calls: list[Callable[[], Any]] = [
        lambda: B.multiply(x, mask),
        lambda: B.where(mask, x, narrow),
        lambda: B.concatenate([x, mask], 0),
        lambda: B.take(x, narrow, 0),
    ]
    for call in calls:
        with pytest.raises(AssertionError, match="was given"):
            call()


def test_a_network_trains_as_on_the_cpu(device: tg.Device, monkeypatch: pytest.MonkeyPatch) -> None:
    tg.manual_seed(7)
    on_cpu = _Training("cpu")
    expected = [on_cpu.step().item() for _ in range(25)]
    weights = {k: v.numpy(force=True).copy() for k, v in on_cpu.model.state_dict().items()}
    tg.manual_seed(7)
    with monkeypatch.context() as patch:
        patch.setattr(tg.device("cpu"), "backend", _NobodyHome())
        training = _Training(device)
        losses = [training.step().item() for _ in range(25)]
        found = {k: v.device.backend.to_numpy(v.array) for k, v in training.model.state_dict().items()}
    np.testing.assert_allclose(losses, expected, rtol=2e-4)
    assert losses[-1] < 0.7 * losses[0]
    for name, values in weights.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-3, atol=2e-4, err_msg=name)


def test_dropout_draws_the_same_numbers_on_every_device(device: tg.Device) -> None:
    tg.manual_seed(3)
    here = nn.functional.dropout(tg.ones(50), 0.4)
    tg.manual_seed(3)
    there = nn.functional.dropout(tg.ones(50, device=device), 0.4)
    assert there.tolist() == here.tolist()


def test_a_step_makes_the_same_calls_every_time_and_reads_nothing_back(device: tg.Device, calls: Counter[str]) -> None:
    """What a recorder needs: one list of primitive calls, and no value that decides about them."""
    training = _Training(device)
    for _ in range(2):
        training.step()
    counts = []
    for _ in range(3):
        calls.clear()
        training.step()
        counts.append(Counter(calls))
    assert counts[0] == counts[1] == counts[2]
    assert counts[0]["matmul"] == 5  # two forward; the first layer's input gets no gradient
    assert counts[0]["to_numpy"] == 0
    assert counts[0]["asarray"] == 0, "a constant is brought from the host in every step"


def test_evaluation_makes_fewer_calls(device: tg.Device, calls: Counter[str]) -> None:
    training = _Training(device)
    training.model.eval()
    calls.clear()
    with tg.no_grad():
        training.model(training.x)
    assert set(calls) <= {"matmul", "add", "maximum", "transpose", "multiply", "greater", "where", "full"}
    assert calls["matmul"] == 2


def test_every_optimizer_steps(device: tg.Device) -> None:
    rng = np.random.default_rng(2)
    start, slope = rng.standard_normal((2, 4, 3)).astype(np.float32)
    makers: dict[str, Callable[[list[tg.Tensor]], optim.Optimizer]] = {
        "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        "adamw": lambda p: optim.AdamW(p, lr=0.1, amsgrad=True),
        "rmsprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
        "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    }
    for name, make in makers.items():
        results = []
        for place in ("cpu", device):
            w = tg.tensor(start, device=place, requires_grad=True)
            optimizer = make([w])
            for _ in range(4):
                optimizer.zero_grad()
                (w * w * tg.tensor(slope, device=place)).sum().backward()
                optimizer.step()
            results.append(w.tolist())
        np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_tape_runs_there_in_every_respect(device: tg.Device) -> None:
    """In-place writes through views, indexing, hooks, gradients of gradients, gradcheck."""
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tg.float64, device=device, requires_grad=True)
    seen: list[Any] = []
    y = x * 2
    y[0].mul_(3)
    y[tg.tensor([1], device=device)] = y[:1] + 1
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * y).sum().backward()
    assert y.tolist() == [[6, 12], [7, 13]]
    assert seen == [[[12, 24], [14, 26]]]
    assert x.grad is not None
    assert x.grad.tolist() == [[6 * (12 + 14), 6 * (24 + 26)], [0, 0]]
    (g,) = tg.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert h.tolist() == [[6, 12], [18, 24]]
    assert tg.autograd.gradcheck(lambda x: tg.softmax(x @ x, 1).log(), x)
    assert tg.autograd.gradgradcheck(lambda x: tg.logsumexp(x.T * x, 1), x, fast_mode=True)


def test_tensors_of_two_devices_do_not_mix(device: tg.Device) -> None:
    with pytest.raises(tg.DeviceError, match=r"add: .*operand 0 on cpu, operand 1 on opaque.*\.to\("):
        tg.ones(2) + tg.ones(2, device=device)
    total = tg.ones(2) + tg.ones(2, device=device).cpu()
    assert total.tolist() == [2, 2]


@pytest.fixture
def by_default(device: tg.Device) -> Iterator[tg.Device]:
    before = tg.get_default_device()
    tg.set_default_device(device)
    yield device
    tg.set_default_device(before)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # inf - inf, which the CPU's own kernels do in silence
@pytest.mark.parametrize(
    ("case", "dtype", "check"),
    [
        pytest.param(case, dtype, check, id=name)
        for name, case, dtype, check in all_checks()
        if check != "layout" and dtype in (tg.float64, tg.int64, tg.bool)
    ],
)
def test_case(case: Case, dtype: DType, check: str, by_default: tg.Device) -> None:
    """Values, gradients and gradients of gradients of every op, without the layouts, which are the CPU's affair."""
    CHECKS[check](case, dtype, str(by_default))
