"""Neural networks: modules, their parameters, initialization and utilities, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.names import listing
from tensorgrad.nn import activation, container, dropout, functional, init, linear, loss, utils
from tensorgrad.nn.activation import *
from tensorgrad.nn.container import *
from tensorgrad.nn.dropout import *
from tensorgrad.nn.linear import *
from tensorgrad.nn.loss import *
from tensorgrad.nn.mlp import MLP
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter

__all__ = [
    "MLP",
    "Module",
    "Parameter",
    "functional",
    "init",
    "utils",
    *activation.__all__,
    *container.__all__,
    *dropout.__all__,
    *linear.__all__,
    *loss.__all__,
]

if not TYPE_CHECKING:
    _ABSENT = (
        "Conv1d Conv2d Conv3d MaxPool1d MaxPool2d AvgPool2d AdaptiveAvgPool2d BatchNorm1d BatchNorm2d BatchNorm3d "
        "LayerNorm GroupNorm RMSNorm Embedding EmbeddingBag RNN LSTM GRU MultiheadAttention Transformer "
        "TransformerEncoder TransformerEncoderLayer DataParallel"
    ).split()
    __getattr__, __dir__ = listing(__name__, __all__, absent=dict.fromkeys(_ABSENT, "there is no such layer yet"))
