"""Names that are there, names that are not, and arguments that are not: the nearest is suggested."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.arguments import hinted
from tensorgrad.names import nearest
from tensorgrad.nn import functional as F

PUBLIC: tuple[Any, ...] = (
    tg,
    tg.autograd,
    tg.checkpoint,
    tg.cuda,
    tg.data,
    tg.nn,
    tg.nn.functional,
    tg.nn.init,
    tg.nn.utils,
    tg.optim,
    tg.train,
)


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_completion_shows_what_is_public(module: Any) -> None:
    assert [n for n in dir(module) if not n.startswith("__")] == sorted(n for n in module.__all__ if n[:2] != "__")
    assert all(hasattr(module, n) for n in module.__all__)
    for other in ("annotations", "TYPE_CHECKING", "Any", "np"):
        assert other not in dir(module)


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [
        (tg, "tensr", "tensor"),
        (tg, "no_gard", "no_grad"),
        (tg, "optm", "optim"),
        (tg, "sav", "save"),
        (nn, "Linera", "Linear"),
        (nn, "relu", "ReLU"),
        (nn, "CrossEntropy", "CrossEntropyLoss"),
        (nn.functional, "crossentropy", "cross_entropy"),
        (nn.init, "xavier_uniform", "xavier_uniform_"),
        (nn.utils, "clip_grad_norm", "clip_grad_norm_"),
        (tg.optim, "ADAM", "Adam"),
        (tg.data, "Dataloader", "DataLoader"),
        (tg.train, "fitt", "fit"),
        (tg.autograd, "Fucntion", "Function"),
        (tg.cuda, "is_avaliable", "is_available"),
        (tg.checkpoint, "laod", "load"),
    ],
)
def test_a_mistyped_name(module: Any, name: str, meant: str) -> None:
    with pytest.raises(
        AttributeError, match=f"module '{module.__name__}' has no attribute '{name}'; did you mean {meant}"
    ):
        getattr(module, name)


@pytest.mark.parametrize(
    ("module", "name", "why"),
    [
        (tg, "utils", "data sets and loaders are in tensorgrad.data"),
        (tg, "jit", "there is none yet"),
        (tg, "FloatTensor", r"use tg\.tensor"),
        (nn, "Conv2d", "there is no such layer yet"),
        (nn, "LayerNorm", "there is no such layer yet"),
        (tg.optim, "lr_scheduler", "there are no schedules yet; set group"),
    ],
)
def test_a_name_that_is_known_not_to_be_there(module: Any, name: str, why: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute '{name}': {why}"):
        getattr(module, name)


def test_a_name_like_no_other() -> None:
    with pytest.raises(AttributeError, match=r"module 'tensorgrad\.nn' has no attribute 'zzz'$"):
        getattr(nn, "zzz")  # noqa: B009
    assert nearest("zzz", ["a"]) is None
    assert not hasattr(nn, "__wrapped__")


FIT: Any = tg.train.fit
EVALUATE: Any = tg.train.evaluate

CALLS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "Linear": (partial(nn.Linear, 2, 3), {"biass": False}, "Linear: there is no argument 'biass'; did you mean bias"),
    "MLP": (partial(nn.MLP, [2, 3]), {"droput": 0.1}, "MLP: there is no argument 'droput'; did you mean dropout"),
    "Dropout": (nn.Dropout, {"prob": 0.1}, "Dropout: there is no argument 'prob'"),
    "Tanh": (nn.Tanh, {"inplace": True}, "Tanh: there is no argument 'inplace'; it takes none"),
    "loss": (nn.CrossEntropyLoss, {"label_smooth": 0.1}, "'label_smooth'; did you mean label_smoothing"),
    "DataLoader": (partial(tg.data.DataLoader, [1]), {"batchsize": 3}, "'batchsize'; did you mean batch_size"),
    "tensor": (
        partial(tg.tensor, [1.0]),
        {"require_grad": True},
        "tensor: .*'require_grad'; did you mean requires_grad",
    ),
    "randn": (partial(tg.randn, 3), {"dytpe": tg.float64}, "randn: there is no argument 'dytpe'; did you mean dtype"),
    "zeros": (partial(tg.zeros, 3), {"devise": "cpu"}, "zeros: .*'devise'; did you mean device"),
    "arange": (partial(tg.arange, 3), {"dtpe": tg.int32}, "arange: .*did you mean dtype"),
    "std": (tg.ones(3).std, {"dimm": 0}, "std: .*'dimm'; did you mean dim"),
    "softmax": (tg.ones(3).softmax, {"dims": 0}, "softmax: .*'dims'; did you mean dim"),
    "cross_entropy": (
        partial(F.cross_entropy, tg.ones(2, 3), tg.tensor([0, 1])),
        {"label_smooth": 0.1},
        "did you mean label_smoothing",
    ),
    "pad": (partial(F.pad, tg.ones(3), (1, 1)), {"mod": "reflect"}, "pad: .*did you mean mode"),
    "topk": (partial(tg.ones(3).topk, 2), {"largset": False}, "topk: .*did you mean largest"),
    "init": (partial(nn.init.kaiming_normal_, tg.ones(3, 3)), {"nonlinearty": "relu"}, "did you mean nonlinearity"),
    "clip": (partial(nn.utils.clip_grad_norm_, []), {"maxnorm": 1.0}, "clip_grad_norm_: .*did you mean max_norm"),
    "split": (partial(tg.data.train_val_test_split, []), {"vall": 0.1}, "did you mean val"),
    "read_csv": (partial(tg.data.read_csv, "x.csv"), {"delimeter": ";"}, "read_csv: .*did you mean delimiter"),
    "load": (partial(tg.load, "x"), {"map_locaton": "cpu"}, "load: .*did you mean map_location"),
    "fit": (partial(FIT, None, None, None, None), {"epcohs": 3}, "fit: .*did you mean epochs"),
    "evaluate": (partial(EVALUATE, None, None, None), {"metric": 3}, "evaluate: .*did you mean metrics"),
    "Standardizer": (partial(tg.data.Standardizer.fit, tg.ones(2, 2)), {"skipp": 3}, "fit: .*did you mean skip"),
    "optimizer": (partial(tg.optim.SGD, [tg.ones(1)]), {"learning_rate": 1}, "'learning_rate'; did you mean lr"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_mistyped_argument(call: str) -> None:
    function, options, message = CALLS[call]
    with pytest.raises(tg.DTypeError, match=message) as caught:
        function(**options)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # no second traceback


def test_an_option_misspelt_in_a_parameter_group() -> None:
    p = tg.ones(1, requires_grad=True)
    with pytest.raises(
        tg.DTypeError, match="Adam: parameter group: there is no argument 'learning_rate'; did you mean lr"
    ):
        tg.optim.Adam([{"params": [p], "learning_rate": 1.0}])
    with pytest.raises(tg.DTypeError, match="did you mean weight_decay"):
        tg.optim.Adam([{"params": [p], "weigth_decay": 1.0}])
    own = {"name": "backbone", "initial_lr": 0.1, "layer_decay": 0.5, "weight_decay_scale": 2.0, "is_decay": True}
    assert tg.optim.Adam([{"params": [p], **own}]).param_groups[0].items() >= own.items()


def test_a_module_of_ones_own() -> None:
    class Net(nn.Module):
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.layer = nn.Linear(2, hidden)

    class Free(nn.Module):
        def __init__(self, **options: int) -> None:
            super().__init__()
            self.options = options

    with pytest.raises(TypeError, match="Net: there is no argument 'hiden'; did you mean hidden"):
        Net(hiden=3)  # type: ignore[call-arg]
    assert Free(anything=3).options == {"anything": 3}


def test_a_hint_leaves_other_errors_alone() -> None:
    @hinted
    def function(x: int, *, scale: int = 1) -> int:
        if scale == 0:
            raise TypeError("scale is 0")
        return len(x) if scale == 2 else x * scale  # type: ignore[arg-type]

    assert function(2, scale=3) == 6
    assert function.__name__ == "function"
    with pytest.raises(tg.DTypeError, match="function: there is no argument 'scael'; did you mean scale"):
        function(2, scael=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^scale is 0$"):
        function(2, scale=0)
    with pytest.raises(TypeError, match="has no len"):
        function(2, scale=2)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        function(scale=2)  # type: ignore[call-arg]
