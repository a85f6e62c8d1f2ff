"""The public names of the installed torch and torchvision that have a documentation. Needs torch; the harvest only."""

from __future__ import annotations

import importlib
import inspect
import re
import types
import warnings
from collections.abc import Iterator

MODULES = (
    "torch.nn", "torch.nn.functional", "torch", "torch.optim", "torch.optim.lr_scheduler", "torch.optim.swa_utils",
    "torch.utils.data", "torch.nn.init", "torch.nn.utils", "torch.nn.utils.rnn", "torch.nn.utils.parametrize",
    "torch.nn.utils.parametrizations", "torch.nn.utils.prune", "torch.nn.utils.stateless", "torch.nn.parallel",
    "torch.nn.attention", "torch.utils.checkpoint", "torch.utils.benchmark", "torch.autograd",
    "torch.autograd.functional", "torch.autograd.profiler", "torch.autograd.graph", "torch.autograd.forward_ad",
    "torch.linalg", "torch.fft", "torch.special", "torch.signal.windows", "torch.distributions",
    "torch.distributions.transforms", "torch.distributions.constraints", "torch.cuda", "torch.amp", "torch.cuda.amp",
    "torch.func", "torch.sparse", "torch.nested", "torch.masked", "torch.testing", "torch.profiler", "torch.compiler",
    "torch.jit", "torch.export", "torch.onnx", "torch.hub", "torch.random", "torch.serialization", "torch.accelerator",
    "torch.mps", "torch.xpu", "torch.cpu", "torch.backends.cuda", "torch.backends.cudnn", "torch.library",
    "torch.overrides", "torch.futures", "torch.fx", "torch.package", "torch.monitor", "torch.multiprocessing",
    "torch.distributed", "torch.distributed.fsdp", "torch.distributed.checkpoint", "torch.distributed.optim",
    "torch.distributed.rpc", "torch.distributed.pipelining", "torch.distributed.tensor", "torch.ao.quantization",
    "torchvision", "torchvision.transforms.v2", "torchvision.transforms", "torchvision.transforms.v2.functional",
    "torchvision.transforms.functional", "torchvision.models", "torchvision.models.detection",
    "torchvision.models.segmentation", "torchvision.models.video", "torchvision.models.optical_flow",
    "torchvision.models.quantization", "torchvision.models.feature_extraction", "torchvision.datasets",
    "torchvision.ops", "torchvision.io", "torchvision.utils", "torchvision.tv_tensors",
)  # fmt: skip
"""Where documented names are public, the best known place of a name first."""

TENSOR = "torch.Tensor"
LEGACY = ("torch", "torch.cuda", "torch.sparse")
LEAST = 20
"""Characters of a documentation that says something."""


def documented(module: str) -> Iterator[tuple[str, object, str]]:
    """(dotted name, object, docstring) of a module's public classes and functions, and of the classes' own methods."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            room = importlib.import_module(module)
        except ImportError:  # a part that needs a package that isn't installed
            return
        for name in getattr(room, "__all__", None) or vars(room):
            thing = getattr(room, name, None)
            if name.startswith("_") or isinstance(thing, types.ModuleType) or not callable(thing):
                continue
            if not str(getattr(thing, "__module__", None) or module).startswith("torch"):
                continue  # typing.Any, say, in a module without `__all__`
            if module in LEGACY and re.search(r"\wTensor$|Storage$", name):
                continue  # torch.BoolTensor and its kin: what they can do, torch.Tensor is asked about
            if text := _doc(thing):
                yield f"{module}.{name}", thing, text
            if inspect.isclass(thing) and f"{module}.{name}" != TENSOR:
                yield from _members(f"{module}.{name}", thing, vars(thing))
        if module == "torch":
            yield from _members(TENSOR, room.Tensor, dir(room.Tensor))


def _members(owner: str, thing: type, names: object) -> Iterator[tuple[str, object, str]]:
    for name in list(names):  # type: ignore[call-overload]
        if not name.startswith("_") and (text := _doc(member := getattr(thing, name, None))):
            yield f"{owner}.{name}", member, text


def _doc(thing: object) -> str:
    if thing is None or isinstance(thing, (str, int, float, bool, tuple, dict, list)):
        return ""
    try:
        text = inspect.getdoc(thing) or ""
    except Exception:  # noqa: BLE001 -- a descriptor may raise anything when it's looked at
        return ""
    return text if len(text) >= LEAST else ""


def signature_of(name: str, thing: object, text: str) -> str:
    """As the documentation's first line says it, or as Python knows it; "" if neither does."""
    last = name.rpartition(".")[2]
    first = text.lstrip().partition("\n")[0]
    if first.startswith(f"{last}(") and ")" in first:
        return first[len(last) :].replace("\\*", "*").strip()
    try:
        whole = inspect.signature(thing)  # type: ignore[arg-type]
        bare = [one.replace(annotation=inspect.Parameter.empty) for one in whole.parameters.values()]
        return str(whole.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    except (TypeError, ValueError):  # nothing known, or more than Python itself would allow
        return ""
