"""Losses as modules: each calls the function of the same purpose with the arguments it was made with.

`reduction` is "mean", "sum" or "none". Class weights are buffers, so they move with `.to()`; PyTorch's names
are kept, so they are in the `state_dict` too. A loss whose input and target only broadcast against each other
raises ShapeError unless it was made with `broadcast=True`.
"""

from __future__ import annotations

from tensorgrad.errors import ArgumentError
from tensorgrad.functional import loss as F
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class _Loss(Module):
    def __init__(self, reduction: str) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ArgumentError(f"{type(self).__name__}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
        self.reduction = reduction


class _Pairwise(_Loss):
    def __init__(self, reduction: str = "mean", *, broadcast: bool = False) -> None:
        super().__init__(reduction)
        self.broadcast = broadcast


class MSELoss(_Pairwise):
    """(input - target)^2, reduced."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.mse_loss(input, target, reduction=self.reduction, broadcast=self.broadcast)


class L1Loss(_Pairwise):
    """|input - target|, reduced."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.l1_loss(input, target, reduction=self.reduction, broadcast=self.broadcast)


class HuberLoss(_Pairwise):
    """0.5 * d^2 where |d| <= delta, else delta * (|d| - 0.5 * delta), for d = input - target; reduced."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0, *, broadcast: bool = False) -> None:
        super().__init__(reduction, broadcast=broadcast)
        if not delta > 0:
            raise ArgumentError(f"HuberLoss: delta must be positive, got {delta}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta, broadcast=self.broadcast)


class SmoothL1Loss(_Pairwise):
    """0.5 * d^2 / beta where |d| < beta, else |d| - 0.5 * beta, for d = input - target; reduced.

    With beta = 0 it is L1Loss. Girshick, "Fast R-CNN", 2015.
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0, *, broadcast: bool = False) -> None:
        super().__init__(reduction, broadcast=broadcast)
        if not beta >= 0:
            raise ArgumentError(f"SmoothL1Loss: beta must not be negative, got {beta}")
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta, broadcast=self.broadcast)


class KLDivLoss(Module):
    """target * (log(target) - input) for log-probabilities `input`, reduced; with `log_target` the target is logarithms
    too. Terms of probability 0 are 0.

    `reduction` may also be "batchmean", the sum divided by the first dimension: the divergence by its definition.
    S. Kullback & R. Leibler, "On information and sufficiency", 1951.
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False, *, broadcast: bool = False) -> None:
        super().__init__()
        if reduction not in ("mean", "batchmean", "sum", "none"):
            raise ArgumentError(f"KLDivLoss: reduction must be 'mean', 'batchmean', 'sum' or 'none', got {reduction!r}")
        self.reduction = reduction
        self.log_target = log_target
        self.broadcast = broadcast

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target, broadcast=self.broadcast)


class CrossEntropyLoss(_Loss):
    """-log softmax(input) at the target class, or against target probabilities; reduced.

    `weight` (C,) weighs the classes, `ignore_index` labels count for nothing, `label_smoothing` in [0, 1]
    mixes the target with the uniform distribution. With "mean", the sum is divided by the sum of the weights
    used.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ArgumentError(f"CrossEntropyLoss: label_smoothing must be in [0, 1], got {label_smoothing}")
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Input (N, C, ...) or (C,); target (N, ...) labels or probabilities of the input's shape."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-input at the target class, for log-probabilities; reduced as CrossEntropyLoss does."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Input (N, C, ...) or (C,) of log-probabilities; target (N, ...) labels."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_Loss):
    """-(y * log(p) + (1 - y) * log(1 - p)) for input p and target y in [0, 1], times `weight`, reduced.

    Logarithms are cut off at -100, as in PyTorch. From logits, BCEWithLogitsLoss is exact where this one is
    not. Raises ArgumentError for an input or target outside [0, 1], on CUDA at the next wait.
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", *, broadcast: bool = False) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.broadcast = broadcast

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.binary_cross_entropy(
            input, target, weight=self.weight, reduction=self.reduction, broadcast=self.broadcast
        )


class BCEWithLogitsLoss(_Loss):
    """BCELoss of sigmoid(input), computed from the logits; `pos_weight` multiplies the first term."""

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
        *,
        broadcast: bool = False,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)
        self.broadcast = broadcast

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Equal shapes; a 0-d result unless reduction is "none"."""
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            weight=self.weight,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
            broadcast=self.broadcast,
        )
