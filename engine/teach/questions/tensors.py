"""Questions on tensors, their dtypes and products, and on the bytes and bits they take."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, count_of

_CATEGORY = {"uint8": 1, "int8": 1, "int16": 1, "int64": 1, "float16": 2, "bfloat16": 2, "float32": 2, "float64": 2}
_BITS = {"uint8": 8, "int8": 8, "int16": 16, "int64": 64, "float16": 16, "bfloat16": 16, "float32": 32, "float64": 64}
_MEET = {frozenset(("float16", "bfloat16")): "float32", frozenset(("uint8", "int8")): "int16"}
"""Two types of one width of which neither holds the other's numbers, and the next type that holds both."""


def dtype_promotion(rng: random.Random) -> Draft:
    left = rng.choice(list(_CATEGORY))
    number = rng.choice((None, None, "2", "2.5"))
    right = rng.choice([d for d in _CATEGORY if d != left])
    operator = rng.choice(("+", "*", "/"))
    if number is None:
        expression = f"a {operator} b"
        both = frozenset((left, right))
        stronger = _MEET.get(both) or max((left, right), key=lambda d: (_CATEGORY[d], _BITS[d]))
        rule = (
            f"neither {left} nor {right} holds all the numbers of the other, so they meet in {stronger}, which does"
            if both in _MEET
            else "the higher category decides (integer < floating point), and within one category the wider type"
        )
    else:
        expression = f"a {operator} {number}"
        stronger = "float32" if number == "2.5" and _CATEGORY[left] == 1 else left
        rule = (
            "a Python number only counts by its category: floating point is higher than integer, and the two meet in "
            "the default floating point type"
            if stronger != left
            else "a Python number only counts by its category: it never widens a tensor of the same or a higher one"
        )
    worked = "float32" if operator == "/" and _CATEGORY[stronger] == 1 else stronger
    if worked != stronger:
        rule += "; dividing integers with / gives the default floating point type"
    b = "" if number else f"b = torch.ones(3, dtype=torch.{right})\n"
    other = right if number is None else "int64" if number == "2" else "float64"
    widest = max((left, other), key=lambda d: _BITS[d])
    whole = _CATEGORY[left] == 1 and _CATEGORY[other] == 1
    divided = worked != stronger
    return Draft(
        text="Which dtype does the result have?",
        code=f"import torch\n\na = torch.ones(3, dtype=torch.{left})\n{b}print(({expression}).dtype)",
        worked=f"torch.{worked}",
        because=f"{rule}.",
        mistakes=[
            Mistake(f"torch.{stronger}", "forgets that / gives a floating point result", holds=divided),
            Mistake(
                f"torch.{widest}",
                "takes the type with more bits, whatever its category",
                holds=_BITS[left] != _BITS[other] and not divided,
            ),
            Mistake(f"torch.{left}", "keeps the left tensor's type", holds=not divided),
            Mistake(f"torch.{right}", "keeps the right tensor's type", holds=number is None and not divided),
            Mistake(
                "torch.float64", "expects double precision, as Python and NumPy have it", holds=not whole or divided
            ),
            Mistake("torch.float32", "expects the default type of every floating point result", holds=not whole),
            Mistake(
                "torch.float32", "assumes that arithmetic always gives floating point", holds=whole and not divided
            ),
            Mistake("torch.int64", "expects the default type of integers in PyTorch", holds=whole),
            Mistake("torch.float16", "expects the smallest floating point type", holds=divided),
        ],
    )


def matmul_shape(rng: random.Random) -> Draft:
    batch, n, k, m = rng.sample(range(2, 10), 4)
    left, right, shape = rng.choice(
        (
            ((batch, n, k), (k, m), (batch, n, m)),
            ((batch, n, k), (batch, k, m), (batch, n, m)),
            ((batch, n, k), (k,), (batch, n)),
            ((n, k), (m, k), None),
            ((batch, 1, n, k), (m, k, n), (batch, m, n, n)),
        )
    )
    return Draft(
        text="Two tensors are multiplied as matrices. What does this print?",
        code=(
            f"import torch\n\na = torch.zeros{left}\nb = torch.zeros({', '.join(map(str, right))})\n"
            'try:\n    print(tuple((a @ b).shape))\nexcept RuntimeError:\n    print("RuntimeError")'
        ),
        worked=str(shape) if shape else "RuntimeError",
        because=(
            "the last dimension of a must be as long as the last but one of b (or b's only one), and both vanish; "
            "what stands before the last two is batch and broadcasts."
            if shape
            else f"the last dimension of a must be as long as the last but one of b, but here {k} meets {m}."
        ),
        mistakes=[
            Mistake("RuntimeError", "expects a clash although the inner lengths agree"),
            Mistake(
                str((*left[:-1], right[-1])),
                "joins the outer lengths without comparing the inner ones",
                holds=shape is None,
            ),
            Mistake(
                str((left[-1], right[-1])), "treats the inner length of a as a row of the result", holds=shape is None
            ),
            Mistake(str(left), "treats @ as an elementwise product with a vector", holds=len(right) == 1),
            Mistake(
                str((batch, n, 1)),
                "keeps a column for the vector; its added dimension is dropped",
                holds=len(right) == 1,
            ),
            Mistake(str((n,)), "forgets the batch dimension", holds=len(right) == 1),
            Mistake(str((*left, right[-1])), "keeps the inner dimension, which is summed over", holds=len(right) > 1),
            Mistake(str(left), "expects the shape of the left operand", holds=len(right) > 1),
            Mistake(
                str(shape[-2:]) if shape else "", "forgets the batch dimensions", holds=bool(shape) and len(right) > 1
            ),
            Mistake(
                str((batch, 1, n, n)),
                "forgets that the batch dimensions broadcast: 1 becomes the longer one",
                holds=len(left) == 4,
            ),
        ],
    )


def reduction_shape(rng: random.Random) -> Draft:
    a, b, c = rng.sample(range(2, 9), 3)
    d = rng.choice((0, 1, 2, -1))
    keep = rng.random() < 0.4
    lengths = [a, b, c]
    dropped = lengths.copy()
    del dropped[d]
    kept = lengths.copy()
    kept[d] = 1
    only = [lengths[d]] if not keep else [1, 1, 1]
    if keep:
        only[d] = lengths[d]
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nx = torch.zeros({a}, {b}, {c})\n"
            f"print(tuple(x.mean(dim={d}{', keepdim=True' if keep else ''}).shape))"
        ),
        worked=str(tuple(kept if keep else dropped)),
        because=f"the mean runs along dimension {d}, of length {lengths[d]}; "
        + ("keepdim leaves it with length 1." if keep else "that dimension disappears."),
        mistakes=[
            Mistake(str(tuple(dropped)), "overlooks keepdim"),
            Mistake(str(tuple(kept)), "keeps the dimension, which only keepdim=True does"),
            Mistake(str(tuple(only)), "assumes that dim is the dimension that stays"),
            Mistake("()", "reduces over everything, as without dim", holds=not keep),
            Mistake(str((a, b) if d == 0 else (b, c)), "drops another dimension", holds=not keep),
            Mistake(str((a, b, 1) if d == 0 else (1, b, c)), "shortens another dimension", holds=keep),
        ],
    )


_BYTES = {"bool": 1, "uint8": 1, "float16": 2, "bfloat16": 2, "float32": 4, "int64": 8, "float64": 8}


def tensor_bytes(rng: random.Random) -> Draft:
    shape = (rng.choice((1, 4, 8, 16)), rng.choice((1, 3)), rng.choice((16, 32, 64)), rng.choice((16, 32, 64)))
    dtype = rng.choice(list(_BYTES))
    n = math.prod(shape)
    size = _BYTES[dtype]
    return Draft(
        text="How many bytes do this tensor's elements take?",
        code=f"import torch\n\nx = torch.zeros{shape}.to(torch.{dtype})\nprint(x.numel() * x.element_size())",
        worked=str(n * size),
        because=f"{n} elements of {count_of(size, 'byte')} each.",
        mistakes=[
            Mistake(str(n), "counts elements instead of bytes"),
            Mistake(str(n * 4), "assumes that every element is a float32 of 4 bytes"),
            Mistake(str(n * size * 8), "counts bits"),
            Mistake(str(n * 8), "assumes that every element is a float64 of 8 bytes"),
            Mistake(str(n // shape[0] * size), "counts one example of the batch only"),
            *(
                [Mistake(str(n // 8), "packs eight bools into a byte; each takes a whole one")]
                if dtype == "bool"
                else []
            ),
        ],
    )


def half_precision(rng: random.Random) -> Draft:
    dtype, digits, largest = rng.choice((("float16", 10, 65504.0), ("bfloat16", 7, 3.4e38)))
    exponent = rng.randint(digits, digits + 3) if rng.random() < 0.7 else 17
    step = 2 ** (exponent - digits)
    value = 2**exponent + rng.randint(1, 4 * step)
    rounded = float(round(value / step) * step)  # Python, too, rounds a tie to the even multiple
    worked = "inf" if rounded > largest else str(rounded)
    below, above = float(value // step * step), float(value // step * step + step)
    kept, tie, infinite = value == below, value - below == above - value, worked == "inf"
    neighbour = above if rounded == below else below
    direction = "up" if neighbour == above else "down"
    return Draft(
        text="A number is stored in 16 bits. What does this print?",
        code=f"import torch\n\nx = torch.tensor({float(value)}, dtype=torch.{dtype})\nprint(x.item())",
        worked=worked,
        because=(
            f"{dtype} has {digits} mantissa bits and ends at about {largest:.3g}; between {2**exponent} and "
            f"{2 ** (exponent + 1)} its numbers lie {step} apart"
            + (", and a tie goes to the one whose last bit is 0." if tie else ", and the nearest one is kept.")
            if not infinite
            else f"{dtype} ends at {largest:.0f}, and what would be rounded up beyond that becomes infinite; "
            "bfloat16 has nearly the range of float32."
        ),
        mistakes=[
            Mistake(str(float(value)), "assumes that the number is kept exactly, as in float32"),
            Mistake("inf", f"assumes that {dtype} ends below {value}"),
            Mistake(
                str(float(2**exponent)),
                f"rounds down to a power of two, but {dtype} has numbers in between",
                holds=below > 2**exponent and not infinite,
            ),
            Mistake("nan", "assumes that a number out of range becomes NaN", holds=infinite),
            Mistake("65504.0", "assumes that too large a number is clamped to the largest one", holds=infinite),
            Mistake(
                str(neighbour),
                f"rounds the tie {direction}; a tie goes to the neighbour whose last bit is 0",
                holds=tie and not infinite,
            ),
            Mistake(
                str(neighbour),
                f"rounds {direction} although {rounded:.0f} is nearer",
                holds=not (tie or kept or infinite),
            ),
            Mistake(
                str(rounded + step),
                "assumes that the number falls between two others; it can be kept exactly",
                holds=kept,
            ),
        ],
    )


GENERATORS = (
    Generator("dtype-promotion", "tensors", "dtypes", dtype_promotion),
    Generator("matmul-shape", "tensors", "matrix-multiplication", matmul_shape),
    Generator("reduction-shape", "tensors", "reductions", reduction_shape),
    Generator("tensor-bytes", "gpu", "tensor-memory", tensor_bytes),
    Generator("half-precision", "gpu", "automatic-mixed-precision", half_precision),
)
