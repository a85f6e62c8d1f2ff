"""Questions with a plot: curves, bars, a matrix.

The code that gives the right answer isn't shown: it would read the picture out."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from engine.teach.questions.drawing import drawn
from engine.teach.questions.question import Draft, Generator, Mistake

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STORIES = {
    "overfitting": "the training loss goes on falling while the validation loss turns up",
    "learning rate too high": "both losses jump about and grow instead of falling",
    "underfitting": "both losses stay high and flat, close to each other",
    "still learning well": "both losses are still falling together when it ends",
    "the learning rate was lowered": "both losses drop at once in the middle, and settle lower",
}
_DIAGNOSE = """
def diagnose(train, validation):
    n = len(train)
    if train[-1] > train[0]:
        return "learning rate too high"
    if max(train[i] - train[i + 1] for i in range(2, n - 2)) > 0.15 * train[0]:
        return "the learning rate was lowered"
    if train[-1] > 0.8 * train[0]:
        return "underfitting"
    if validation[-1] > 1.1 * min(validation):
        return "overfitting"
    return "still learning well"
"""


def _curves(story: str, rng: random.Random) -> tuple[list[float], list[float]]:
    n, start = 30, rng.uniform(1.5, 2.5)
    wiggle = lambda size: rng.uniform(-size, size)  # noqa: E731
    train, validation = [], []
    for i in range(n):
        t = i / (n - 1)
        if story == "overfitting":
            a, b = 0.05 + 0.95 * math.exp(-4 * t), 0.45 + 0.55 * math.exp(-7 * t) + 0.5 * max(0.0, t - 0.35)
        elif story == "learning rate too high":
            a = 1 + 1.5 * t + (0.5 * t + 0.1) * rng.choice((-1, 1))
            a, b = (1.0 if i == 0 else max(a, 1.05)), max(1.0, a + 0.15)
        elif story == "underfitting":
            a, b = 0.9 + 0.1 * math.exp(-9 * t), 0.92 + 0.1 * math.exp(-9 * t)
        elif story == "still learning well":
            a, b = 0.25 + 0.75 * math.exp(-1.8 * t), 0.3 + 0.72 * math.exp(-1.75 * t)
        else:
            level = 0.75 if i < n // 2 else 0.4
            a, b = level + 0.25 * math.exp(-8 * t), level + 0.05 + 0.25 * math.exp(-8 * t)
        train.append(round(start * (a + wiggle(0.008)), 3))
        validation.append(round(start * (b + wiggle(0.008)), 3))
    return train, validation


def what_happened(rng: random.Random) -> Draft:
    story = rng.choice(list(STORIES))
    train, validation = _curves(story, rng)

    def paint(axes: Axes) -> None:
        axes.plot(train, label="training", linewidth=2)
        axes.plot(validation, label="validation", linewidth=2, linestyle="--")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.set_ylim(bottom=0)
        axes.legend()

    shape = (
        f"The training loss goes from {train[0]:.2f} over {train[len(train) // 2]:.2f} to "
        f"{train[-1]:.2f}, the validation "
        f"loss from {validation[0]:.2f} over {validation[len(train) // 2]:.2f} (lowest: {min(validation):.2f}) to "
        f"{validation[-1]:.2f}."
    )
    others = {
        "overfitting": "takes any gap for overfitting; then validation would rise while training falls",
        "learning rate too high": "mistakes any change for instability; then both losses would jump about and grow",
        "underfitting": "mistakes a loss above 0 for underfitting; then both would stay high and flat",
        "still learning well": "looks only at one stretch of the curves; then both would fall together to the end",
        "the learning rate was lowered": "sees a sudden drop that isn't there: it would come in both losses at once",
    }
    return Draft(
        text="The loss over the epochs. What happened here?",
        code=f"{_DIAGNOSE}\ntrain = {train}\nvalidation = {validation}\nprint(diagnose(train, validation))",
        worked=story,
        because=f"{STORIES[story]}.",
        mistakes=[Mistake(name, why) for name, why in others.items() if name != story],
        shown="",
        picture=lambda: drawn(paint),
        alt=f"Two curves over {len(train)} epochs. {shape}",
    )


def worst_class(rng: random.Random) -> Draft:
    names = rng.sample(("shirt", "coat", "bag", "boot", "dress"), 3)
    recall = [0.0, 0.0, 0.0]
    while sorted(recall)[1] - min(recall) < 0.04:  # so that the answer can be read without a calculator
        m = [[rng.randint(1, 30) for _ in range(3)] for _ in range(3)]
        for i in range(3):
            m[i][i] = rng.randint(20, 95)
        recall = [m[i][i] / sum(m[i]) for i in range(3)]
    precision = [m[i][i] / sum(row[i] for row in m) for i in range(3)]
    worst = min(range(3), key=lambda i: recall[i])

    def paint(axes: Axes) -> None:
        axes.imshow(m, cmap="Blues")
        for i in range(3):
            for j in range(3):
                axes.text(j, i, str(m[i][j]), ha="center", va="center", color="white" if m[i][j] > 60 else "black")
        axes.set_xticks(range(3), names)
        axes.set_yticks(range(3), names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")

    rows = "; ".join(f"true {names[i]}: {', '.join(map(str, m[i]))}" for i in range(3))
    by_precision = min(range(3), key=lambda i: precision[i])
    by_count = min(range(3), key=lambda i: m[i][i])
    smallest = min(range(3), key=lambda i: sum(m[i]))
    mistakes = [
        Mistake(names[by_precision], "reads down the column: that's the precision", holds=by_precision != worst),
        Mistake(
            names[by_count],
            "takes the smallest number on the diagonal without dividing by its row",
            holds=by_count != worst,
        ),
        Mistake(names[smallest], "takes the rarest class", holds=smallest != worst),
    ]
    mistakes += [
        Mistake(name, f"overlooks that the row of {names[worst]} has the smaller share on the diagonal")
        for name in names
        if name != names[worst]
    ]
    return Draft(
        text="A confusion matrix, true classes in rows. Which class has the lowest recall?",
        code=(
            f"import torch\n\nnames, m = {names}, torch.tensor({m})\n"
            "print(names[(m.diag() / m.sum(dim=1)).argmin().item()])"
        ),
        worked=names[worst],
        because=f"the diagonal divided by the row sums is "
        f"{', '.join(f'{n} {r:.2f}' for n, r in zip(names, recall, strict=True))}.",
        mistakes=mistakes,
        card_id="reading-a-confusion-matrix",
        shown="",
        picture=lambda: drawn(paint, square=True),
        alt=f"A confusion matrix with predicted classes {', '.join(names)} in columns. {rows}.",
    )


_FUNCTIONS = {
    "ReLU": lambda v: max(0.0, v),
    "leaky ReLU (slope 0.1)": lambda v: v if v > 0 else 0.1 * v,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "tanh": math.tanh,
    "SiLU": lambda v: v / (1 + math.exp(-v)),
    "softplus": lambda v: math.log1p(math.exp(v)),
    "ELU": lambda v: v if v > 0 else math.expm1(v),
}
_TRAITS = {
    "ReLU": "0 on the left and the straight line y = x on the right",
    "leaky ReLU (slope 0.1)": "a straight line with a small slope on the left, and y = x on the right",
    "sigmoid": "S-shaped between 0 and 1, with ½ at 0",
    "tanh": "S-shaped between -1 and 1, with 0 at 0",
    "SiLU": "a curve that dips to about -0.28 and then approaches y = x",
    "softplus": "smooth and above 0 everywhere, with 0.69 at 0",
    "ELU": "a smooth bend to -1 on the left, and y = x on the right",
}


def which_activation(rng: random.Random) -> Draft:
    name = rng.choice(list(_FUNCTIONS))
    low = -rng.choice((3, 4, 5, 6))
    high = rng.choice((2, 3, 4))
    xs = [low + (high - low) * i / 80 for i in range(81)]
    function = _FUNCTIONS[name]

    def paint(axes: Axes) -> None:
        axes.plot(xs, [function(v) for v in xs], linewidth=2.5)
        axes.axhline(0, color="grey", linewidth=0.8)
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.grid(alpha=0.3)

    wrong = rng.sample([n for n in _FUNCTIONS if n != name], 4)
    samples = [round(function(float(v)), 4) for v in (low, -1, 0, 1, high)]
    return Draft(
        text="Which activation function is drawn here?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            'functions = {"ReLU": F.relu, "leaky ReLU (slope 0.1)": lambda v: F.leaky_relu(v, 0.1), '
            '"sigmoid": torch.sigmoid,\n'
            '             "tanh": torch.tanh, "SiLU": F.silu, "softplus": F.softplus, "ELU": F.elu}\n'
            f"x, y = torch.tensor({[float(low), -1.0, 0.0, 1.0, float(high)]}), torch.tensor({samples})\n"
            "print(min(functions, key=lambda n: (functions[n](x) - y).abs().sum().item()))"
        ),
        worked=name,
        because=f"it is {_TRAITS[name]}.",
        mistakes=[Mistake(other, f"mixes it up with {other}, which is {_TRAITS[other]}") for other in wrong],
        card_id={"sigmoid": "sigmoid-and-tanh", "tanh": "sigmoid-and-tanh", "SiLU": "gelu-and-silu"}.get(
            name, "relu-family"
        ),
        shown="",
        picture=lambda: drawn(paint),
        alt=f"A curve from x = {low} to {high}; it goes through "
        + ", ".join(f"({x:g}, {v:.2f})" for x, v in zip((low, -1, 0, 1, high), samples, strict=True))
        + ".",
    )


def area_under_a_drawn_curve(rng: random.Random) -> Draft:
    x = sorted(rng.sample((0.1, 0.2, 0.3, 0.4, 0.5), 2))
    y = sorted(rng.sample((0.4, 0.5, 0.6, 0.7, 0.8, 0.9), 2))
    xs, ys = [0.0, *x, 1.0], [0.0, *y, 1.0]
    area = sum((xs[i + 1] - xs[i]) * (ys[i + 1] + ys[i]) / 2 for i in range(3))
    steps = sum((xs[i + 1] - xs[i]) * ys[i] for i in range(3))

    def paint(axes: Axes) -> None:
        axes.plot(xs, ys, marker="o", linewidth=2)
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
        for px, py in zip(x, y, strict=True):
            axes.annotate(f"({px:g}, {py:g})", (px, py), textcoords="offset points", xytext=(8, -12))
        axes.set_xlabel("false positive rate")
        axes.set_ylabel("true positive rate")
        axes.set_aspect("equal")
        axes.grid(alpha=0.3)

    return Draft(
        text="A ROC curve. How large is the area under it?",
        code=f"import torch\n\nx, y = torch.tensor({xs}), "
        f'torch.tensor({ys})\nprint(f"{{torch.trapezoid(y, x).item():.3f}}")',
        worked=f"{area:.3f}",
        because=f"three trapezia: "
        f"{' + '.join(f'{xs[i + 1] - xs[i]:.1f}·({ys[i]:g} + {ys[i + 1]:g})/2' for i in range(3))}.",
        mistakes=[
            Mistake(
                f"{1 - area:.3f}",
                "gives the area above the curve",
                instead=[("torch.trapezoid(y, x)", "(1 - torch.trapezoid(y, x))")],
            ),
            Mistake(
                f"{area - 0.5:.3f}",
                "gives the area above the diagonal",
                instead=[("torch.trapezoid(y, x)", "(torch.trapezoid(y, x) - 0.5)")],
            ),
            Mistake(
                f"{steps:.3f}",
                "cuts the corners off, with steps instead of slopes",
                instead=[("torch.trapezoid(y, x)", "((x[1:] - x[:-1]) * y[:-1]).sum()")],
            ),
            Mistake(f"{y[1]:.3f}", "reads off a true positive rate"),
            Mistake("0.500", "takes the diagonal's area"),
        ],
        card_id="roc-and-auc",
        shown="",
        picture=lambda: drawn(paint, square=True),
        alt=f"A ROC curve of straight lines through "
        f"{', '.join(f'({a:g}, {b:g})' for a, b in zip(xs, ys, strict=True))}, and the diagonal.",
    )


def confidence_and_accuracy(rng: random.Random) -> Draft:
    story = rng.choice(("over-confident", "under-confident", "well calibrated"))
    confidence = [0.55, 0.65, 0.75, 0.85, 0.95]
    shift = {
        "over-confident": -rng.uniform(0.1, 0.2),
        "under-confident": rng.uniform(0.08, 0.16),
        "well calibrated": 0.0,
    }[story]
    accuracy = [
        round(
            min(
                0.99,
                max(
                    0.3, c + shift * (1 if story != "under-confident" or c < 0.9 else 0.3) + rng.uniform(-0.015, 0.015)
                ),
            ),
            2,
        )
        for c in confidence
    ]

    def paint(axes: Axes) -> None:
        axes.bar(confidence, accuracy, width=0.08, edgecolor="black", color="#9fc5e8")
        axes.plot([0.5, 1], [0.5, 1], color="grey", linestyle="--", label="calibrated")
        axes.set_xlabel("mean confidence of the bin")
        axes.set_ylabel("share that is right")
        axes.set_ylim(0, 1)
        axes.legend()

    return Draft(
        text="A reliability diagram. What are this model's probabilities like?",
        code=(
            f"import torch\n\nconfidence, right = torch.tensor({confidence}), "
            f"torch.tensor({accuracy})\ngap = (confidence - right).mean().item()\n"
            'print("over-confident" if gap > 0.04 else "under-confident" if gap < -0.04 else "well calibrated")'
        ),
        worked=story,
        because="the bars are "
        + {"over-confident": "below", "under-confident": "above", "well calibrated": "on"}[story]
        + " the diagonal: "
        + {
            "over-confident": "it is right less often than it claims.",
            "under-confident": "it is right more often than it claims.",
            "well calibrated": "it is right as often as it claims.",
        }[story],
        mistakes=[
            Mistake(
                "over-confident",
                "mistakes high probabilities for over-confidence; the bars would be below the diagonal",
            ),
            Mistake(
                "under-confident",
                ("sees a gap that isn't there" if story == "well calibrated" else "has the diagram the wrong way round")
                + "; the bars would be above the diagonal",
            ),
            Mistake("well calibrated", "overlooks that the bars miss the diagonal on one side"),
            Mistake("inaccurate everywhere", "mixes up calibration and accuracy: the diagram compares the two"),
        ],
        card_id="expected-calibration-error",
        shown="",
        picture=lambda: drawn(paint, square=True),
        alt="Bars of the share that is right: "
        + ", ".join(f"{a:.2f} at confidence {c:.2f}" for c, a in zip(confidence, accuracy, strict=True))
        + "; a dashed diagonal.",
    )


GENERATORS = (
    Generator("what-happened", "worked-study", "learning-curves", what_happened, pictured=True),
    Generator("worst-class", "evaluation", "reading-a-confusion-matrix", worst_class, pictured=True),
    Generator("which-activation", "activations", "relu-family", which_activation, pictured=True),
    Generator("area-under-a-drawn-curve", "evaluation", "roc-and-auc", area_under_a_drawn_curve, pictured=True),
    Generator(
        "confidence-and-accuracy", "evaluation", "expected-calibration-error", confidence_and_accuracy, pictured=True
    ),
)
