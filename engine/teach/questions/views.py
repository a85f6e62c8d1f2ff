"""Questions on indexing, views, strides and broadcasting."""

from __future__ import annotations

import random

from engine.teach.questions.question import Draft, Generator, Mistake


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The broadcast shape, or None where the lengths do not fit."""
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        return None
    return tuple(max(x, y) for x, y in zip(a, b, strict=True))


def broadcast_shape(rng: random.Random) -> Draft:
    a = tuple(rng.randint(2, 7) for _ in range(3))
    b = tuple(rng.choice((1, length, length, rng.randint(2, 7))) for length in a[rng.choice((0, 1, 1, 2)) :])
    a = tuple(1 if rng.random() < 0.25 else length for length in a)
    shape = broadcast(a, b)
    worked = str(shape) if shape else "RuntimeError"
    stretched = tuple(max(x, y) for x, y in zip(a, (1,) * (3 - len(b)) + b, strict=True))
    from_the_left = broadcast(a, b + (1,) * (3 - len(b)))
    because = (
        f"lengths are compared from the last dimension backwards, {a} with {b}; two fit if they are equal, or one is "
        "1, or one is missing, and the longer one stays."
    )
    if shape is None:
        because += " Here two lengths differ and neither is 1."
    return Draft(
        text="Two tensors are added. What does this print?",
        code=(
            f"import torch\n\na = torch.zeros{a}\nb = torch.zeros({', '.join(map(str, b))})\n"
            'try:\n    print(tuple((a + b).shape))\nexcept RuntimeError:\n    print("RuntimeError")'
        ),
        worked=worked,
        because=because,
        mistakes=[
            Mistake(str(stretched), "takes the longer length everywhere, whether or not the shorter one is 1"),
            Mistake(
                str(from_the_left) if from_the_left else "RuntimeError",
                "lines the shapes up from the left",
            ),
            Mistake("RuntimeError", "expects an error, but only two different lengths, neither of them 1, would clash"),
            Mistake(str(a), "assumes that the result has the shape of the left operand"),
            Mistake(str(b), "assumes that the result has the shape of the right operand"),
        ],
    )


def index_shape(rng: random.Random) -> Draft:
    a, b, c = rng.sample(range(3, 9), 3)
    i = rng.randint(0, 2)
    same = ((a, b, c), "assumes that indexing leaves the shape alone")
    first_kept = ((1, b, c), "keeps the first dimension with length 1, as a slice would")
    first_gone = ((b, c), "drops the first dimension, as an integer in first place would")
    middle_kept = ((a, 1, c), "keeps the middle dimension with length 1, as a slice would")
    middle_gone = ((a, c), "drops the middle dimension, as an integer there would")
    expression, shape, rule, mistakes = rng.choice(
        (
            (f"x[{i}]", (b, c), "an integer removes its dimension", (first_kept, same, middle_gone)),
            (
                f"x[{i}:{i + 1}]",
                (1, b, c),
                "a slice keeps its dimension, even with one element in it",
                (first_gone, same, ((2, b, c), "includes the end of the slice")),
            ),
            (
                f"x[:, {i}]",
                (a, c),
                "the integer stands in dimension 1 and removes it",
                (middle_kept, first_gone, same, ((a, b), "drops the last dimension")),
            ),
            (
                f"x[..., {i}]",
                (a, b),
                "the dots stand for all the dimensions before the last, which the integer removes",
                (
                    first_gone,
                    ((a, b, 1), "keeps the last dimension with length 1"),
                    ((a, c), "reads the dots as one colon"),
                ),
            ),
            (
                "x[:, None]",
                (a, 1, b, c),
                "None adds a dimension of length 1 where it stands",
                (
                    ((1, a, b, c), "puts the new dimension in front"),
                    ((a, 1, c), "lets None take the place of the middle dimension"),
                    middle_gone,
                    same,
                ),
            ),
            (
                "x[:, ::2]",
                (a, (b + 1) // 2, c),
                "a step of 2 keeps every second element, the first one included",
                (((a, b // 2, c), "starts counting at the second element"), ((a, 2, c), "keeps two elements"), same),
            ),
            (
                "x[[0, 1], [1, 0]]",
                (2, c),
                "two index lists are paired: (0, 1) and (1, 0), so 2 rows of the last dimension",
                (
                    ((2, 2, c), "expects the block of 2 rows and 2 columns"),
                    ((2, 2), "expects a 2x2 block and forgets the last dimension"),
                    ((2, b, c), "applies the first list only"),
                ),
            ),
            (
                "x[x == 0]",
                (a * b * c,),
                "a mask picks elements one by one into a flat tensor; here all of them are 0",
                (same, ((0,), "assumes that the mask removes what is 0"), ((a,), "expects one element for each row")),
            ),
            (
                "x[:, -1:]",
                (a, 1, c),
                "a slice keeps its dimension; from -1 on there is one element",
                (middle_gone, ((a, b - 1, c), "leaves the last element out"), ((a, b, 1), "slices the last dimension")),
            ),
        )
    )
    return Draft(
        text="What does this print?",
        code=f"import torch\n\nx = torch.zeros({a}, {b}, {c})\nprint(tuple({expression}.shape))",
        worked=str(shape),
        because=f"{rule}.",
        mistakes=[Mistake(str(wrong), why) for wrong, why in mistakes],
    )


def strides(rng: random.Random) -> Draft:
    a, b, c = rng.sample(range(2, 8), 3)
    order = rng.choice(((0, 2, 1), (1, 0, 2), (2, 1, 0), (2, 0, 1), (1, 2, 0)))
    base = (b * c, c, 1)
    permuted = tuple(base[d] for d in order)
    shape = tuple((a, b, c)[d] for d in order)
    fresh = (shape[1] * shape[2], shape[2], 1)
    return Draft(
        text="What does this print?",
        code=f"import torch\n\nx = torch.zeros({a}, {b}, {c})\nprint(x.permute{order}.stride())",
        worked=str(permuted),
        because=f"x is row-major with strides {base}; permute moves no data, it only reorders shape and strides.",
        mistakes=[
            Mistake(str(fresh), f"takes the strides of a fresh tensor of shape {shape}, as if the data had been moved"),
            Mistake(str(base), "leaves the strides as they were"),
            Mistake(str(shape), "gives the shape: strides count elements to skip in storage"),
            Mistake(str(tuple(4 * s for s in permuted)), "counts bytes, as NumPy does; PyTorch counts elements"),
        ],
    )


def view_or_copy(rng: random.Random) -> Draft:
    rows, columns = rng.choice(((2, 3), (3, 4), (2, 5), (3, 5)))
    value = rng.randint(2, 9)
    expression, touched, rule = rng.choice(
        (
            ("x[0]", columns, "basic indexing is a view of row 0"),
            ("x[:, 1]", rows, "basic indexing is a view of column 1"),
            ("x.t()", rows * columns, "a transpose is a view of everything"),
            ("x.view(-1)", rows * columns, "view shares all the memory"),
            ("x.clone()", 0, "clone copies"),
            ("x[[0]]", 0, "indexing with a list is advanced indexing: a copy"),
            ("x[x == 0]", 0, "indexing with a mask is advanced indexing: a copy"),
            ("x[:1]", columns, "a slice is a view"),
        )
    )
    total = lambda elements: f"{float(elements * value)}"  # noqa: E731
    return Draft(
        text="y is changed in place. What does this print for x?",
        code=(
            f"import torch\n\nx = torch.zeros({rows}, {columns})\ny = {expression}\ny.add_({value})\n"
            "print(x.sum().item())"
        ),
        worked=total(touched),
        because=f"{rule}, so {touched} of x's {rows * columns} elements get {value}.",
        mistakes=[
            Mistake(total(0), "assumes that y is a copy"),
            Mistake(total(rows * columns), "assumes that y shares all of x"),
            Mistake(total(columns), "assumes that one row of x changes"),
            Mistake(total(rows), "assumes that one column of x changes"),
            Mistake(total(1), "assumes that one element of x changes"),
        ],
    )


def transpose_then_flatten(rng: random.Random) -> Draft:
    rows, columns = rng.choice(((2, 3), (3, 2), (2, 4), (4, 2)))
    n, start = rows * columns, rng.randint(0, 20)
    stored = list(range(start, start + n))
    transposed = [start + r * columns + c for c in range(columns) for r in range(rows)]
    expression, worked, rule = rng.choice(
        (
            ("x.t().view(-1)", "RuntimeError", "the transposed strides cannot be expressed as one flat view"),
            (
                "x.t().reshape(-1)",
                str(transposed),
                "reshape copies where it must, in the order of the transpose's rows",
            ),
            (
                "x.t().contiguous().view(-1)",
                str(transposed),
                "contiguous copies the transpose into row-major order; then view works",
            ),
            ("x.view(-1)", str(stored), "x is contiguous, so view reads the storage in order"),
            (
                f"x.reshape({columns}, {rows}).view(-1)",
                str(stored),
                "reshape keeps the elements' order; it is no transpose",
            ),
        )
    )
    turned = ".t()" in expression
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nx = torch.arange({start}, {start + n}).reshape({rows}, {columns})\n"
            f'try:\n    print({expression}.tolist())\nexcept RuntimeError:\n    print("RuntimeError")'
        ),
        worked=worked,
        because=f"{rule}.",
        mistakes=[
            Mistake(
                "RuntimeError",
                "assumes that reshape fails on a transposed tensor, as view does; it copies",
                holds="reshape(-1)" in expression,
            ),
            Mistake(
                "RuntimeError",
                "assumes that view fails here; it only fails where the strides don't fit",
                holds="view" in expression,
            ),
            Mistake(str(stored), "reads the storage in order, as if there were no transpose", holds=turned),
            Mistake(str(transposed), "assumes that view copies where it must, as reshape does", holds=turned),
            Mistake(str(transposed), "reads column by column", holds=not turned),
            Mistake(str(stored[::-1]), "mistakes a transpose for a reversal", holds=turned),
            Mistake(str(stored[::columns]), "reads the first column only", holds=not turned),
        ],
    )


GENERATORS = (
    Generator("broadcast-shape", "views-and-broadcasting", "broadcasting", broadcast_shape),
    Generator("index-shape", "views-and-broadcasting", "indexing", index_shape),
    Generator("strides", "views-and-broadcasting", "strides-and-contiguous", strides),
    Generator("view-or-copy", "views-and-broadcasting", "views-and-memory", view_or_copy),
    Generator("transpose-then-flatten", "views-and-broadcasting", "reshape-view-permute", transpose_then_flatten),
)
