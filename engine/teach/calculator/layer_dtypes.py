"""Which dtypes a layer takes, and which comes out of it."""

from __future__ import annotations

from engine.teach.calculator.layers import ADAPTIVE, INSTANCE, NORMS, POOLS, SPATIAL, Layer
from engine.teach.calculator.limits import Mistaken, NotAllowed
from engine.teach.calculator.tensor import FLOAT32, DType

KEEPS_ANY = frozenset({"Flatten", "Identity", "PixelShuffle"})
MULTIPLIES = frozenset({*SPATIAL, "Linear", "PReLU"})
NORMALISES = frozenset({*NORMS, *INSTANCE, "GroupNorm", "LayerNorm", "RMSNorm"})


def dtype_after(of: Layer, dtype: DType) -> DType:
    """What comes out of a layer whose weights are float32. Raises `Mistaken` where PyTorch refuses `dtype`."""
    if of.name == "Sequential":
        for part in of.parts:
            dtype = dtype_after(part, dtype)
        return dtype
    if of.name == "Embedding":
        if dtype.name not in ("int64", "int32"):
            raise Mistaken(f"nn.Embedding needs int64 or int32 indices, but this is {dtype.name}.")
        return FLOAT32
    if of.name in KEEPS_ANY or dtype == FLOAT32:
        return dtype
    if of.name in MULTIPLIES:
        raise Mistaken(f"nn.{of.name} has float32 weights and needs a float32 input, but this is {dtype.name}.")
    if of.name in NORMALISES or dtype.category < 2:
        raise NotAllowed(f"I don't know what nn.{of.name} makes of {dtype.name}.")
    if of.name in POOLS | ADAPTIVE and dtype.name == "float16":
        raise NotAllowed(f"I don't know what nn.{of.name} makes of float16.")
    return dtype
