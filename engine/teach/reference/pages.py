"""The page of a name in the documentation of the version that is installed."""

from __future__ import annotations

import re
from urllib.parse import quote

TOGETHER = {
    "torch.nn.init": "nn.init.html", "torch.special": "special.html", "torch.distributions": "distributions.html",
    "torch.utils.data": "data.html", "torch.utils.checkpoint": "checkpoint.html", "torch.hub": "hub.html",
    "torch.utils.benchmark": "benchmark_utils.html", "torch.random": "random.html", "torch.testing": "testing.html",
    "torch.backends": "backends.html", "torch.library": "library.html", "torch.overrides": "torch.overrides.html",
    "torch.futures": "futures.html", "torch.fx": "fx.html", "torch.package": "package.html",
    "torch.export": "export.html",
    "torch.monitor": "monitor.html", "torch.multiprocessing": "multiprocessing.html", "torch.profiler": "profiler.html",
    "torch.distributed": "distributed.html", "torch.distributed.fsdp": "fsdp.html", "torch.nested": "nested.html",
    "torch.distributed.checkpoint": "distributed.checkpoint.html",
    "torch.distributed.tensor": "distributed.tensor.html",
    "torch.distributed.optim": "distributed.optim.html", "torch.distributed.rpc": "rpc.html",
    "torch.distributed.pipelining": "distributed.pipelining.html",
}  # fmt: skip
"""Rooms whose names stand on one page together; all others have a page for each name."""


def page_of(name: str, version: str) -> str:
    """The address. `version` is the package's own, like 2.15.0."""
    short = ".".join(re.split(r"[.+]", version)[:2])
    if name.startswith("torchvision."):
        room = "models/generated" if name.startswith("torchvision.models.") else "generated"
        return f"https://docs.pytorch.org/vision/{short}/{room}/{_owner(name)}.html"
    base = f"https://docs.pytorch.org/docs/{short}"
    for room in sorted(TOGETHER, key=len, reverse=True):
        if name.startswith(f"{room}."):
            return f"{base}/{TOGETHER[room]}#{quote(name)}"
    return f"{base}/generated/{name if name.startswith('torch.Tensor.') else _owner(name)}.html"


def _owner(name: str) -> str:
    """A method is explained on the page of its class."""
    parts = name.split(".")
    for i, part in enumerate(parts[:-1]):
        if part[:1].isupper():
            return ".".join(parts[: i + 1])
    return name
