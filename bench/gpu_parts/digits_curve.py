"""Training on the digits that come with the package, on CUDA and on the CPU: the same losses?"""

from __future__ import annotations

from time import perf_counter

import numpy as np

import tensorgrad as tg
from bench.gpu_parts.setting import Finding, Setting
from bench.report import table

__all__ = ["BOUND", "loss_curve", "run"]

# Both compute in float32 (tf32 off), in another order of summation. Dropout's masks are bit-identical. Four kernels of
# OpenBLAS differ from each other by 2e-7; exp and log of the device have other last bits too. A wrong gradient would do
# more.
BOUND = 1e-4
EPOCHS, FEW_EPOCHS = 20, 2
BATCH, FEW_SAMPLES = 64, 256


def run(setting: Setting, finding: Finding) -> None:
    setting.cupy()
    tg.set_strict_device(True)
    epochs, samples = (FEW_EPOCHS, FEW_SAMPLES) if setting.dry_run else (EPOCHS, None)
    curves, seconds = {}, {}
    for device in ("cpu", "cuda"):
        start = perf_counter()
        curves[device] = loss_curve(device, epochs, samples)
        seconds[device] = perf_counter() - start
    pairs = list(zip(curves["cpu"], curves["cuda"], strict=True))
    worst = max(abs(theirs - ours) / max(abs(ours), 1e-2) for ours, theirs in pairs)
    finding.raw = {"losses": curves, "seconds": seconds, "worst difference": worst, "bound": BOUND}
    rows = [[str(i + 1), f"{ours:.6f}", f"{theirs:.6f}"] for i, (ours, theirs) in enumerate(pairs)]
    finding.say(table(["epoch", "loss on the CPU", "loss on CUDA"], rows))
    finding.say(f"Greatest difference {worst:.1e} of the loss (of 0.01, where it is smaller); allowed {BOUND:.0e}.")
    if not setting.dry_run:
        finding.say(f"Seconds: {seconds['cpu']:.1f} on the CPU, {seconds['cuda']:.1f} on CUDA; the net is a small one.")
    if not worst <= BOUND:
        finding.fail(f"the loss curves differ by {worst:.1e}, allowed {BOUND:.0e}")


def loss_curve(device: str, epochs: int, samples: int | None = None) -> list[float]:
    """Mean loss of each epoch, from the same weights, orders and dropout masks on every device."""
    data = tg.data.digits()
    inputs, labels = (t[:samples].to(device) for t in data.tensors)
    tg.manual_seed(0)
    model = tg.nn.Sequential(tg.nn.Linear(64, 96), tg.nn.ReLU(), tg.nn.Dropout(0.1), tg.nn.Linear(96, 10)).to(device)
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)
    tg.manual_seed(1)  # the weights were drawn on the CPU: now both devices draw masks from the start
    return [one_epoch(model, optimizer, inputs, labels, epoch) for epoch in range(epochs)]


def one_epoch(model: tg.nn.Module, optimizer: tg.optim.Adam, inputs: tg.Tensor, labels: tg.Tensor, epoch: int) -> float:
    order = np.random.default_rng(epoch).permutation(len(inputs))
    total = tg.zeros(1, device=inputs.device)
    for start in range(0, len(order), BATCH):
        at = tg.tensor(order[start : start + BATCH], device=inputs.device)
        optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(model(inputs[at]), labels[at])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(at)
    return float(total.item()) / len(order)
