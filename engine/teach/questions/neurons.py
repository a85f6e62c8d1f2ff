"""Questions on the perceptron, linear layers and activations."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, bracketed


def perceptron_update(rng: random.Random) -> Draft:
    w, x = ([rng.choice((-4, -3, -2, -1, 1, 2, 3, 4)) for _ in range(2)] for _ in range(2))
    t, rate = rng.choice((0, 1)), rng.choice((1, 0.5, 2))
    y = int(w[0] * x[0] + w[1] * x[1] > 0)

    def moved(factor: float) -> str:
        return str([float(wi + factor * xi) for wi, xi in zip(w, x, strict=True)])

    error = t - y
    return Draft(
        text="One step of the perceptron's learning rule. What does this print?",
        code=(
            "import torch\n\n"
            f"w, x, t = torch.tensor({[float(v) for v in w]}), torch.tensor({[float(v) for v in x]}), {t}\n"
            f"y = int(w @ x > 0)\nw = w + {rate} * (t - y) * x\nprint(w.tolist())"
        ),
        worked=moved(rate * error),
        because=(
            f"w·x = {w[0] * x[0] + w[1] * x[1]}, so y = {y} and t - y = {error}: "
            + ("a right answer changes nothing." if error == 0 else f"{rate} · {bracketed(error)} · x is added.")
        ),
        mistakes=[
            Mistake(moved(rate), "adds the example although the answer was right"),
            Mistake(moved(-rate), "subtracts the example although the answer was right"),
            Mistake(str([float(v) for v in x]), "replaces the weights by the example"),
        ]
        if error == 0
        else [
            Mistake(moved(-rate * error), "has the sign of the error reversed"),
            Mistake(moved(0), "assumes that the answer was right and leaves w alone"),
            Mistake(moved(error), "forgets the learning rate"),
            Mistake(moved(2 * rate * error), "counts with targets of -1 and 1, where the error is 2"),
            Mistake(str([float(wi + rate * error) for wi in w]), "adds the error itself instead of error times input"),
        ],
    )


def mlp_parameters(rng: random.Random) -> Draft:
    a, b, c = rng.choice((4, 8, 10, 28)), rng.choice((16, 20, 32)), rng.choice((2, 5, 10))
    bias = rng.random() < 0.75
    weights = a * b + b * c
    argument = "" if bias else ", bias=False"
    return Draft(
        text="How many parameters does this network have?",
        code=(
            f"import torch\nfrom torch import nn\n\nnet = nn.Sequential(nn.Linear({a}, {b}{argument}), nn.ReLU(), "
            f"nn.Linear({b}, {c}{argument}))\nprint(sum(p.numel() for p in net.parameters()))"
        ),
        worked=str(weights + (b + c if bias else 0)),
        because=f"{a}·{b} + {b}·{c} = {weights} weights"
        + (f" and {b} + {c} biases, one per output." if bias else "; the biases are switched off."),
        mistakes=[
            Mistake(str(weights), "forgets the biases"),
            Mistake(str(weights + b + c), "counts biases that are switched off"),
            Mistake(str(weights + a + b), f"counts a bias per input{' instead of per output' if bias else ''}"),
            Mistake(str(a * b * c), "multiplies the layers' sizes"),
            Mistake(str(a + b + c), "counts units instead of connections"),
            Mistake(str(weights + (b + c if bias else 0) + b), "gives the ReLU a parameter per unit"),
        ],
    )


def linear_shape(rng: random.Random) -> Draft:
    batch, steps, n, m = rng.sample(range(2, 12), 4)
    asked = rng.choice(("weight", "output"))
    worked = (m, n) if asked == "weight" else (batch, steps, m)
    what = "layer.weight.shape" if asked == "weight" else f"layer(torch.zeros({batch}, {steps}, {n})).shape"
    rules = {
        "weight": "the weight is stored as (out_features, in_features), since y = x Wᵀ + b",
        "output": "a linear layer acts on the last dimension only; all before it are batch dimensions",
    }
    weight_mistakes = [
        Mistake(str((n, m)), "puts in_features first, as the arguments do"),
        Mistake(str((m, n + 1)), "puts the bias into the weight matrix"),
        Mistake(str((m,)), "gives the shape of the bias"),
        Mistake(str((n, n)), "assumes that the layer is square"),
    ]
    output_mistakes = [
        Mistake(str((batch, m)), "assumes that the middle dimension is flattened away"),
        Mistake(str((batch, m, n)), "applies the layer to the middle dimension"),
        Mistake(str((batch * steps, m)), "merges the batch dimensions"),
        Mistake(str((batch, steps, n)), "leaves the shape as it was"),
    ]
    return Draft(
        text="What does this print?",
        code=f"import torch\nfrom torch import nn\n\nlayer = nn.Linear({n}, {m})\nprint(tuple({what}))",
        worked=str(worked),
        because=f"{rules[asked]}.",
        mistakes=weight_mistakes if asked == "weight" else output_mistakes,
    )


def activation_value(rng: random.Random) -> Draft:
    x = rng.choice([n / 4 for n in range(-12, 9) if n != 0])
    slope = rng.choice((0.01, 0.1, 0.2))
    sigmoid = 1 / (1 + math.exp(-x))
    values = {
        "F.relu(x)": max(0.0, x),
        f"F.leaky_relu(x, {slope})": x if x > 0 else slope * x,
        "F.elu(x)": x if x > 0 else math.expm1(x),
        "F.sigmoid(x)": sigmoid,
        "F.tanh(x)": math.tanh(x),
        "F.silu(x)": x * sigmoid,
        "F.softplus(x)": math.log1p(math.exp(x)),
        "F.gelu(x)": x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    }
    formulas = {
        "F.relu(x)": "max(0, x)",
        f"F.leaky_relu(x, {slope})": f"x above 0 and {slope} x below",
        "F.elu(x)": "x above 0 and eˣ - 1 below",
        "F.sigmoid(x)": "1 / (1 + e⁻ˣ)",
        "F.tanh(x)": "(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)",
        "F.silu(x)": "x · sigmoid(x)",
        "F.softplus(x)": "log(1 + eˣ)",
        "F.gelu(x)": "x · Φ(x)",
    }
    asked = rng.choice(list(values))
    others = [name for name in values if name != asked]
    smooth = asked in ("F.silu(x)", "F.softplus(x)", "F.gelu(x)")
    saturating = asked in ("F.sigmoid(x)", "F.tanh(x)")
    rng.shuffle(others)
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\nfrom torch.nn import functional as F\n\nx = torch.tensor({x})\n"
            f'print(f"{{{asked}.item():.3f}}")'
        ),
        worked=f"{values[asked]:.3f}",
        because=f"{asked.partition('(')[0][2:]} is {formulas[asked]}; here x = {x}.",
        mistakes=[
            Mistake(f"{values[name]:.3f}", f"mixes it up with {name.partition('(')[0][2:]}, {formulas[name]}")
            for name in others
        ],
        card_id="gelu-and-silu" if smooth else "sigmoid-and-tanh" if saturating else "relu-family",
    )


def sigmoid_gradient(rng: random.Random) -> Draft:
    x = rng.randint(-16, 16) / 4
    function = rng.choice(("sigmoid", "tanh"))
    s, h = 1 / (1 + math.exp(-x)), math.tanh(x)
    value, gradient = (s, s * (1 - s)) if function == "sigmoid" else (h, 1 - h * h)
    other = 1 - h * h if function == "sigmoid" else s * (1 - s)
    rule = "σ(1 - σ), at most 0.25" if function == "sigmoid" else "1 - tanh², at most 1"
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nx = torch.tensor({x}, requires_grad=True)\ntorch.{function}(x).backward()\n"
            'print(f"{x.grad.item():.4f}")'
        ),
        worked=f"{gradient:.4f}",
        because=f"the derivative of {function} is {rule}; with {function}({x}) = {value:.4f}.",
        mistakes=[
            Mistake(f"{value:.4f}", "gives the function's value instead of its slope"),
            Mistake(f"{other:.4f}", f"takes the derivative of {'tanh' if function == 'sigmoid' else 'the sigmoid'}"),
            Mistake(
                f"{1 - value:.4f}",
                "forgets one of the two factors" if function == "sigmoid" else "forgets the square of 1 - tanh²",
            ),
            Mistake(f"{1.0 if x > 0 else 0.0:.4f}", "takes the slope of a ReLU"),
            Mistake(f"{value * value:.4f}", "squares the value"),
        ],
    )


def softmax_with_temperature(rng: random.Random) -> Draft:
    a, b = rng.sample((-2, -1, 0, 1, 2, 3), 2)
    shift, tau = rng.choice((0, 0, 10)), rng.choice((0.5, 1.0, 2.0))
    answer = 1 / (1 + math.exp((b - a) / tau))
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nlogits = torch.tensor([{float(a + shift)}, {float(b + shift)}])\n"
            f'p = torch.softmax(logits / {tau}, dim=0)\nprint(f"{{p[0].item():.3f}}")'
        ),
        worked=f"{answer:.3f}",
        because=f"only the difference counts: 1 / (1 + exp(({b + shift} - {bracketed(a + shift)})/{tau:g})); "
        "a constant added to all logits doesn't matter.",
        mistakes=[
            Mistake(f"{1 - answer:.3f}", "takes the probability of the other class"),
            Mistake(f"{1 / (1 + math.exp((b - a) * tau)):.3f}", "multiplies by the temperature instead of dividing"),
            Mistake(f"{1 / (1 + math.exp(b - a)):.3f}", "leaves the temperature out"),
            Mistake(
                f"{(a + shift) / ((a + shift + b + shift) or 1):.3f}",
                "divides the logits by their sum, without exp",
                holds=min(a + shift, b + shift) >= 0,
            ),
            Mistake(f"{1 / (1 + math.exp(-(a + shift) / tau)):.3f}", "takes the sigmoid of one logit"),
        ],
    )


GENERATORS = (
    Generator("perceptron-update", "perceptron", "perceptron", perceptron_update),
    Generator("mlp-parameters", "perceptron", "multilayer-perceptron", mlp_parameters),
    Generator("linear-shape", "perceptron", "linear-layer", linear_shape),
    Generator("activation-value", "activations", "relu-family", activation_value),
    Generator("sigmoid-gradient", "activations", "sigmoid-and-tanh", sigmoid_gradient),
    Generator("softmax-with-temperature", "activations", "softmax", softmax_with_temperature),
)
