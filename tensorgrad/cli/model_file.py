"""A trained model in one file: its weights, how to build it, how to prepare its inputs and read its
outputs.
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields, replace
from itertools import pairwise
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tensorgrad.backends import Device
from tensorgrad.checkpoint import load, read_metadata, save
from tensorgrad.data import Standardizer
from tensorgrad.data.table import Task
from tensorgrad.dtypes import type_name
from tensorgrad.errors import FormatError, TensorgradError
from tensorgrad.nn import MLP, Module
from tensorgrad.tensor import Tensor

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
    """What `save_model` wrote, on `device`, in eval mode. Raises FormatError for any other file, and for a damaged one."""
    metadata = read_metadata(path)
    if metadata.get("format") != _FORMAT or metadata.get("version") != _VERSION:
        raise FormatError(f"{path} is not a model that this version of `tensorgrad train --save` wrote")
    content = load(path, device="cpu")
    try:
        model = _rebuilt(content)
    except (TensorgradError, KeyError) as error:
        problem = error.message if isinstance(error, TensorgradError) else f"it lacks {error}"
        raise FormatError(f"{path} is a damaged model ({' '.join(problem.split())}); train it again") from error
    return replace(model, network=model.network.to(device).eval())


def _rebuilt(content: Any) -> TrainedModel:
    """The model that a file describes, on the CPU. Nothing is built before it is known to be as large as its weights.

    Raises: TensorgradError or KeyError for what describes none.
    """
    _check_kind("the content", content, dict[str, Any])
    recipe = _recipe(content["recipe"])
    weights = content["model"]
    _check_kind("model", weights, dict[str, Tensor])
    held = sum(weight.numel() for weight in weights.values())
    if len(recipe.sizes) < 2 or min(recipe.sizes) < 1 or _parameters(recipe.sizes) != held:
        raise FormatError(f"{held} weights do not make a network of sizes {recipe.sizes!s:.80}")
    if recipe.task == "classification" and len(recipe.classes) != recipe.sizes[-1]:
        raise FormatError(
            f"a network with {recipe.sizes[-1]} outputs does not tell {len(recipe.classes)} classes apart"
        )
    network = recipe.build()
    network.load_state_dict(weights)
    inputs = _scaler("inputs", content["inputs"], recipe.sizes[0])
    targets = None if content["targets"] is None else _scaler("targets", content["targets"], recipe.sizes[-1])
    return TrainedModel(network, recipe, inputs, targets)


def _recipe(found: Any) -> Recipe:
    _check_kind("recipe", found, dict[str, Any])
    kinds = get_type_hints(Recipe)
    needed = {field.name for field in fields(Recipe) if field.default is MISSING and field.default_factory is MISSING}
    if not needed <= found.keys() <= kinds.keys():
        raise FormatError(f"a recipe has {', '.join(kinds)}, and this one has {', '.join(found)}")
    for name, value in found.items():
        _check_kind(f"recipe: {name}", value, kinds[name])
    return Recipe(**found)


def _scaler(name: str, state: Any, width: int) -> Standardizer:
    _check_kind(name, state, dict[str, Tensor])
    for part in ("mean", "std"):
        if state[part].shape != (width,):
            raise FormatError(f"{name}: {part} must have shape ({width},), got {state[part].shape}")
    return Standardizer.from_state_dict(state)


def _parameters(sizes: list[int]) -> int:
    """How many weights and biases an MLP of these sizes has."""
    return sum((before + 1) * after for before, after in pairwise(sizes))


def _check_kind(name: str, value: Any, kind: Any) -> None:
    if not _is_of(value, kind):
        wanted = kind if get_origin(kind) else kind.__name__
        raise FormatError(f"{name} must be {wanted}, got {value!r:.80}")


def _is_of(value: Any, kind: Any) -> bool:
    """Whether `value`, out of a file, is what an annotation says: a class, a list or dict of such, or one of some values."""
    of, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if of is Literal:
        return value in inner
    if of in (Union, UnionType):
        return any(_is_of(value, one) for one in inner)
    if of is list:
        return type(value) is list and all(_is_of(item, inner[0]) for item in value)
    if of is dict:
        pairs = value.items() if type(value) is dict else [(None, None)]
        return all(_is_of(key, inner[0]) and _is_of(item, inner[1]) for key, item in pairs)
    if kind is float:
        return type(value) in (int, float)
    return isinstance(value, kind) if kind is Tensor else type(value) is kind
