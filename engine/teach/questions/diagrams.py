"""Questions with a diagram: a grid, a graph, a line, layers.

The code that gives the right answer isn't shown: it would read the picture out."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from engine.teach.questions.drawing import drawn, grid
from engine.teach.questions.question import Draft, Generator, Mistake, bracketed, count_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def sliding_kernel(rng: random.Random) -> Draft:
    x = [[rng.randint(0, 4) for _ in range(5)] for _ in range(5)]
    kernel = [[rng.choice((-1, 0, 1, 2)) for _ in range(3)] for _ in range(3)]
    row, column = rng.randint(0, 2), rng.randint(0, 2)
    value = sum(x[row + i][column + j] * kernel[i][j] for i in range(3) for j in range(3))
    flipped = sum(x[row + i][column + j] * kernel[2 - i][2 - j] for i in range(3) for j in range(3))

    def paint(axes: Axes) -> None:
        grid(axes, [[float(v) for v in r] for r in x], lambda r, c: row <= r < row + 3 and column <= c < column + 3)
        for i in range(3):
            for j in range(3):
                axes.fill(
                    [6 + j, 7 + j, 7 + j, 6 + j], [1 + i, 1 + i, 2 + i, 2 + i], facecolor="#cfe2f3", edgecolor="black"
                )
                axes.text(6.5 + j, 1.5 + i, str(kernel[i][j]), ha="center", va="center", fontsize=14)
        axes.text(7.5, 0.6, "kernel", ha="center")
        axes.set_xlim(-0.1, 9.1)

    return Draft(
        text="The kernel lies on the coloured cells, as conv2d has it. What output does that give?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"x, kernel = torch.tensor({x}), torch.tensor({kernel})\n"
            f"print(F.conv2d(x[None, None], kernel[None, None])[0, 0, {row}, {column}].item())"
        ),
        worked=str(value),
        because="each coloured number times the kernel's number at the same place, all added up; the "
        "kernel isn't flipped.",
        mistakes=[
            Mistake(
                str(flipped),
                "flips the kernel, as a mathematician's convolution does",
                instead=[("kernel[None, None]", "kernel.flip(0, 1)[None, None]")],
            ),
            Mistake(
                str(x[row + 1][column + 1] * kernel[1][1]),
                "multiplies the middle only",
                instead=[
                    (
                        f"F.conv2d(x[None, None], kernel[None, None])[0, 0, {row}, {column}]",
                        f"(x[{row + 1}, {column + 1}] * kernel[1, 1])",
                    )
                ],
            ),
            Mistake(
                str(sum(x[row + i][column + j] for i in range(3) for j in range(3))),
                "adds the cells without the kernel",
                instead=[("kernel[None, None]", "torch.ones_like(kernel)[None, None]")],
            ),
            Mistake(
                str(sum(x[row + i][column + j] * kernel[j][i] for i in range(3) for j in range(3))),
                "reads the kernel's columns for its rows",
                instead=[("kernel[None, None]", "kernel.T[None, None]")],
            ),
            Mistake(
                str(max(x[row + i][column + j] for i in range(3) for j in range(3))),
                "takes the largest cell, as max pooling does",
                instead=[
                    ("F.conv2d(x[None, None], kernel[None, None])", "F.max_pool2d(x[None, None].float(), 3, 1).int()")
                ],
            ),
        ],
        shown="",
        picture=lambda: drawn(paint),
        alt=f"A grid of numbers, rows {x}; the kernel {kernel} lies on rows {row + 1} to {row + 3}, "
        f"columns {column + 1} to {column + 3}.",
    )


def gradient_in_a_graph(rng: random.Random) -> Draft:
    a, b, c = rng.randint(1, 5), rng.choice((-3, -2, 2, 3)), rng.randint(-4, 4)
    y, z = a * b, a * b + c
    loss = z * z
    asked, gradient = rng.choice((("a", 2 * z * b), ("b", 2 * z * a), ("c", 2 * z)))

    def paint(axes: Axes) -> None:
        places = {
            f"a = {a}": (0, 2),
            f"b = {b}": (0, 1),
            f"c = {c}": (1.6, 0),
            "a · b": (1.3, 1.5),
            "+ c": (2.8, 1),
            "(...)²": (4.2, 1),
        }
        for label, (x, h) in places.items():
            axes.text(
                x, h, label, ha="center", va="center", fontsize=13, bbox={"boxstyle": "round", "facecolor": "#eaf2fb"}
            )
        for start, end in (
            ((0.35, 2), (1.0, 1.6)),
            ((0.35, 1), (1.0, 1.4)),
            ((1.65, 1.45), (2.5, 1.05)),
            ((1.95, 0.1), (2.6, 0.85)),
            ((3.1, 1), (3.8, 1)),
            ((4.55, 1), (4.85, 1)),
        ):
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->"})
        axes.text(4.9, 1, "loss", va="center", fontsize=13)
        axes.set_xlim(-0.6, 5.6)
        axes.set_ylim(-0.5, 2.5)
        axes.set_axis_off()

    return Draft(
        text=f"The graph of a loss. What is the gradient of the loss with respect to {asked}?",
        code=(
            f"import torch\n\na, b, c = (torch.tensor(v, requires_grad=True) for v in ({float(a)}, "
            f"{float(b)}, {float(c)}))\n"
            f"loss = (a * b + c) ** 2\nloss.backward()\nprint({asked}.grad.item() + 0.0)"
        ),
        worked=str(float(gradient) + 0.0),
        because=f"the square gives 2z = 2·{bracketed(z)} = {2 * z}; the sum passes it on; "
        + {
            "a": f"the product multiplies it by b = {b}.",
            "b": f"the product multiplies it by a = {a}.",
            "c": "c gets it as it is.",
        }[asked],
        mistakes=[
            Mistake(str(float(2 * z)), "stops at the sum", holds=asked != "c"),
            Mistake(
                str(float(2 * z * (a if asked == "a" else b))),
                "multiplies by the variable itself instead of by the other one",
                holds=asked != "c",
            ),
            Mistake(
                str(float(gradient / 2) + 0.0),
                "forgets the 2 of the square",
                instead=[("(a * b + c) ** 2", "(a * b + c) ** 2 / 2")],
            ),
            Mistake(str(float(loss)), "gives the loss itself", instead=[(f"{asked}.grad.item()", "loss.item()")]),
            Mistake(
                str(float({"a": b, "b": a, "c": 1}[asked])),
                "forgets the square altogether",
                instead=[("(a * b + c) ** 2", "a * b + c")],
            ),
            Mistake(str(float(2 * y * {"a": b, "b": a, "c": 1}[asked])), "leaves c out of the sum", holds=c != 0),
        ],
        card_id="chain-rule",
        shown="",
        picture=lambda: drawn(paint),
        alt=f"A graph: a = {a} and b = {b} are multiplied, c = {c} is added, the result is squared and gives the loss.",
    )


def sides_of_a_line(rng: random.Random) -> Draft:
    w, b = rng.choice(((1, 1), (1, -1), (2, 1), (1, 2), (-1, 2))), rng.choice((-1, 0, 1))
    points: list[tuple[int, int]] = []
    while len(points) < 6:
        p = (rng.randint(-4, 4), rng.randint(-4, 4))
        if p not in points and w[0] * p[0] + w[1] * p[1] + b != 0:
            points.append(p)
    positive = sum(w[0] * x + w[1] * y + b > 0 for x, y in points)

    def paint(axes: Axes) -> None:
        axes.scatter([x for x, _ in points], [y for _, y in points], s=60, color="black", zorder=3)
        axes.axline((0, -b / w[1]), slope=-w[0] / w[1], color="tab:blue", linewidth=2)
        norm = math.hypot(*w)
        at = (-b * w[0] / norm**2, -b * w[1] / norm**2)
        tip = (at[0] + 1.5 * w[0] / norm, at[1] + 1.5 * w[1] / norm)
        axes.annotate(
            "w",
            tip,
            at,
            arrowprops={"arrowstyle": "->", "color": "tab:red", "linewidth": 2},
            color="tab:red",
            fontsize=13,
        )
        axes.set_xlim(-5, 5)
        axes.set_ylim(-5, 5)
        axes.set_aspect("equal")
        axes.grid(alpha=0.3)

    return Draft(
        text="A perceptron's line w·x + b = 0; w points to its positive side. For how many of the six "
        "points does it answer 1?",
        code=(
            f"import torch\n\npoints = torch.tensor({[list(map(float, p)) for p in points]})\n"
            f"w, b = torch.tensor({[float(v) for v in w]}), {float(b)}\nprint((points @ w + b > 0).sum().item())"
        ),
        worked=str(positive),
        because="it answers 1 on the side to which w points, and "
        f"{count_of(positive, 'point')} {'lies' if positive == 1 else 'lie'} there.",
        mistakes=[
            Mistake(str(6 - positive), "takes the other side of the line", instead=[("> 0", "< 0")]),
            Mistake(
                str(sum(x > 0 for x, _ in points)),
                "takes the right half of the picture",
                instead=[("points @ w + b", "points[:, 0]")],
            ),
            Mistake(
                str(sum(y > 0 for _, y in points)),
                "takes the upper half of the picture",
                instead=[("points @ w + b", "points[:, 1]")],
            ),
            Mistake(
                str(sum(w[0] * x + w[1] * y > 0 for x, y in points)), "forgets the bias", instead=[("@ w + b", "@ w")]
            ),
            Mistake("6", "assumes that a line has all points on one side", holds=positive < 6),
        ],
        card_id="perceptron",
        shown="",
        picture=lambda: drawn(paint, square=True),
        alt=f"Points {points}, the line {w[0]}·x {'-' if w[1] < 0 else '+'} {abs(w[1])}·y "
        f"{'-' if b < 0 else '+'} {abs(b)} = 0, and an arrow w = {w} that starts on it.",
    )


def dilated_layers(rng: random.Random) -> Draft:
    dilations = rng.choice(([1, 2], [1, 2, 4], [1, 1], [1, 3], [2, 2], [1, 2, 2], [1, 1, 1], [2, 4], [1, 1, 2]))
    kernel = rng.choice((2, 2, 3))
    field = 1 + (kernel - 1) * sum(dilations)
    n = max(16, field + 2)

    def paint(axes: Axes) -> None:
        layers = len(dilations)
        for level in range(layers + 1):
            axes.scatter(range(n), [level] * n, s=30, color="lightgrey", zorder=2)
        active = {n - 1}
        for level in range(layers, 0, -1):
            below = set()
            for t in active:
                for tap in range(kernel):
                    source = t - tap * dilations[level - 1]
                    below.add(source)
                    axes.plot([source, t], [level - 1, level], color="tab:blue", linewidth=1)
            active = below
        axes.set_yticks(range(layers + 1), ["input", *[f"layer {i + 1}" for i in range(layers)]])
        axes.set_xlabel("time step")

    return Draft(
        text="The lines show what the last output depends on. What is the receptive field, from the "
        "first to the last input?",
        code=(
            f"import torch\nfrom torch import nn\n\nnet = nn.Sequential(*[nn.Conv1d(1, 1, {kernel}, "
            f"dilation=d) for d in {dilations}])\n"
            "x = torch.zeros(1, 1, 60)\nprint(60 - net(x).shape[-1] + 1)"
        ),
        worked=str(field),
        because=f"1 + (k - 1) · Σ dilations = 1 + {kernel - 1}·{sum(dilations)}.",
        mistakes=[
            Mistake(str(field - 1), "forgets the present step", instead=[(" + 1)", ")")]),
            Mistake(
                str(1 + (kernel - 1) * len(dilations)),
                "overlooks the dilations",
                instead=[("dilation=d", "dilation=1")],
            ),
            Mistake(str(kernel ** len(dilations)), "counts the paths instead of the steps"),
            Mistake(str(1 + kernel * sum(dilations)), "counts k instead of k - 1 steps per layer"),
            Mistake(str(n), "counts all the inputs in the picture", holds=n != field),
        ],
        card_id="wavenet-receptive-field",
        shown="",
        picture=lambda: drawn(paint),
        alt=f"{len(dilations)} layers over {n} time steps; each point is joined with {kernel} points "
        f"below, {', '.join(map(str, dilations))} steps apart, from the lowest layer up.",
    )


GENERATORS = (
    Generator("sliding-kernel", "convolutions", "convolution-as-sliding-dot-product", sliding_kernel, pictured=True),
    Generator("gradient-in-a-graph", "back-propagation", "chain-rule", gradient_in_a_graph, pictured=True),
    Generator("sides-of-a-line", "perceptron", "perceptron", sides_of_a_line, pictured=True),
    Generator("dilated-layers", "wavenet", "wavenet-receptive-field", dilated_layers, pictured=True),
)
