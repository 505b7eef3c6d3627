"""A trained model in one file: its weights, how to build it, how to prepare its inputs and read its
outputs.
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from itertools import pairwise
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tensorgrad.backends import Device
from tensorgrad.checkpoint import load, read_metadata, save
from tensorgrad.data import Imputer, Standardizer
from tensorgrad.data.table import Task
from tensorgrad.errors import FormatError, TensorgradError
from tensorgrad.nn import MLP, Module
from tensorgrad.tensor import Tensor

__all__ = ["Recipe", "TrainedModel", "is_model", "load_model", "save_model"]

_FORMAT = "tensorgrad trained model"
_VERSION = 2
_READABLE = (1, 2)  # 1: without levels and fill


@dataclass(frozen=True)
class Recipe:
    """What is needed to build the network again and to read files for it; all of it JSON-able.

    `features` are columns of the training file, `levels` the texts of those that are one-hot.
    """

    sizes: list[int]
    activation: str
    dropout: float
    task: Task
    features: list[str]
    columns: list[str]
    classes: list[str]
    target: str
    levels: dict[str, list[str]] = field(default_factory=dict)

    def width(self) -> int:
        """How many inputs the network has by these columns."""
        return sum(len(self.levels.get(name, ("",))) for name in self.features)

    def build(self) -> Module:
        """The network, with fresh weights."""
        return MLP(self.sizes, activation=self.activation, dropout=self.dropout)


@dataclass
class TrainedModel:
    """A network with its recipe and scalers; `targets` is None for classification, `fill` where no missing value of an
    input can be filled in.
    """

    network: Module
    recipe: Recipe
    inputs: Standardizer
    targets: Standardizer | None
    fill: Imputer | None = None


def is_model(path: str) -> bool:
    """Whether there is a file that `save_model` wrote."""
    try:
        return read_metadata(path).get("format") == _FORMAT
    except (TensorgradError, OSError):
        return False


def save_model(model: TrainedModel, path: str) -> None:
    """Write it whole or not at all."""
    content: dict[str, Any] = {
        "model": model.network.state_dict(),
        "inputs": model.inputs.state_dict(),
        "targets": None if model.targets is None else model.targets.state_dict(),
        "fill": None if model.fill is None else model.fill.state_dict(),
        "recipe": asdict(model.recipe),
    }
    save(content, path, metadata={"format": _FORMAT, "version": _VERSION})


def load_model(path: str, device: Device) -> TrainedModel:
    """What `save_model` wrote, on `device`, in eval mode. Raises FormatError for any other file, a damaged one too."""
    metadata = read_metadata(path)
    if metadata.get("format") != _FORMAT or metadata.get("version") not in _READABLE:
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
    if recipe.width() != recipe.sizes[0]:
        raise FormatError(f"its columns make {recipe.width()} features, and its network has {recipe.sizes[0]} inputs")
    network = recipe.build()
    network.load_state_dict(weights)
    inputs = _scaler("inputs", content["inputs"], recipe.sizes[0])
    fill = content.get("fill")
    targets = None if content["targets"] is None else _scaler("targets", content["targets"], recipe.sizes[-1])
    return TrainedModel(network, recipe, inputs, targets, None if fill is None else _imputer(fill, recipe.sizes[0]))


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
    _check_state(name, state, ("mean", "std"), width)
    return Standardizer.from_state_dict(state)


def _imputer(state: Any, width: int) -> Imputer:
    _check_state("fill", state, ("fill",), width)
    return Imputer.from_state_dict(state)


def _check_state(name: str, state: Any, parts: tuple[str, ...], width: int) -> None:
    _check_kind(name, state, dict[str, Tensor])
    for part in parts:
        if state[part].shape != (width,):
            raise FormatError(f"{name}: {part} must have shape ({width},), got {state[part].shape}")


def _parameters(sizes: list[int]) -> int:
    """How many weights and biases an MLP of these sizes has."""
    return sum((before + 1) * after for before, after in pairwise(sizes))


def _check_kind(name: str, value: Any, kind: Any) -> None:
    if not _is_of(value, kind):
        wanted = kind if get_origin(kind) else kind.__name__
        raise FormatError(f"{name} must be {wanted}, got {value!r:.80}")


def _is_of(value: Any, kind: Any) -> bool:
    """Whether `value`, out of a file, is what an annotation says: of a class, a list or dict of such, or one of some
    values.
    """
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
