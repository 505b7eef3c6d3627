"""A trained model in one file: its weights, how to build it, how to prepare its inputs and read its
outputs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tensorgrad.backends import Device
from tensorgrad.checkpoint import load, read_metadata, save
from tensorgrad.data import Standardizer
from tensorgrad.data.table import Task
from tensorgrad.errors import FormatError
from tensorgrad.nn import MLP, Module

__all__ = ["Recipe", "TrainedModel", "load_model", "save_model"]

_FORMAT = "tensorgrad trained model"
_VERSION = 1


@dataclass(frozen=True)
class Recipe:
    """What is needed to build the network again and to read files for it; all of it JSON-able."""

    sizes: list[int]
    activation: str
    dropout: float
    task: Task
    features: list[str]
    columns: list[str]
    classes: list[str]
    target: str

    def build(self) -> Module:
        """The network, with fresh weights."""
        return MLP(self.sizes, activation=self.activation, dropout=self.dropout)


@dataclass
class TrainedModel:
    """A network with its recipe and scalers; `targets` is None for classification."""

    network: Module
    recipe: Recipe
    inputs: Standardizer
    targets: Standardizer | None


def save_model(model: TrainedModel, path: str) -> None:
    """Write it whole or not at all."""
    content: dict[str, Any] = {
        "model": model.network.state_dict(),
        "inputs": model.inputs.state_dict(),
        "targets": None if model.targets is None else model.targets.state_dict(),
        "recipe": asdict(model.recipe),
    }
    save(content, path, metadata={"format": _FORMAT, "version": _VERSION})


def load_model(path: str, device: Device) -> TrainedModel:
    """What `save_model` wrote, on `device`, in eval mode. Raises FormatError for any other file."""
    metadata = read_metadata(path)
    if metadata.get("format") != _FORMAT or metadata.get("version") != _VERSION:
        raise FormatError(f"{path} is not a model that this version of `tensorgrad train --save` wrote")
    content = load(path, device="cpu")
    recipe = Recipe(**content["recipe"])
    network = recipe.build()
    network.load_state_dict(content["model"])
    targets = None if content["targets"] is None else Standardizer.from_state_dict(content["targets"])
    return TrainedModel(network.to(device).eval(), recipe, Standardizer.from_state_dict(content["inputs"]), targets)
