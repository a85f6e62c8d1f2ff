"""Questions on autograd and back-propagation."""

from __future__ import annotations

import random

from engine.teach.questions.question import Draft, Generator, Mistake, bracketed


def _digit(rng: random.Random, low: int = -4, high: int = 4) -> int:
    """A whole number, never 0."""
    return rng.choice([n for n in range(low, high + 1) if n != 0])


def _signed(n: int) -> str:
    """`n` after another term: "+ 3", "- 3"."""
    return f"{'-' if n < 0 else '+'} {abs(n)}"


def gradient_of_polynomial(rng: random.Random) -> Draft:
    a, b, x = _digit(rng, 2, 5), _digit(rng), _digit(rng)
    power = rng.choice((2, 3))
    gradient = power * a * x ** (power - 1) + b
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nx = torch.tensor({float(x)}, requires_grad=True)\n"
            f"y = {a} * x**{power} {_signed(b)} * x\ny.backward()\nprint(x.grad.item())"
        ),
        worked=str(float(gradient)),
        because=f"dy/dx = {power * a} x{'²' if power == 3 else ''} {_signed(b)} = {gradient} at x = {x}.",
        mistakes=[
            Mistake(str(float(a * x**power + b * x)), "gives the value of y, not its derivative"),
            Mistake(str(float(gradient - b)), "forgets the linear term"),
            Mistake(str(float(a * x ** (power - 1) + b)), "lowers the exponent without multiplying by it"),
            Mistake(str(float(power * a * x**power + b)), "multiplies by the exponent without lowering it"),
        ],
    )


def gradients_accumulate(rng: random.Random) -> Draft:
    w, k, n = _digit(rng, 1, 5), _digit(rng, 2, 6), rng.randint(2, 4)
    zeroed = rng.random() < 0.4
    one = 2 * k * w
    clear = "    w.grad = None\n" if zeroed else ""
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nw = torch.tensor({float(w)}, requires_grad=True)\nfor _ in range({n}):\n{clear}"
            f"    loss = {k} * w**2\n    loss.backward()\nprint(w.grad.item())"
        ),
        worked=str(float(one if zeroed else n * one)),
        because=f"each backward() adds d(loss)/dw = {2 * k} w = {one} to w.grad"
        + (
            "; it is cleared each time, so only the last one stays."
            if zeroed
            else f", and nobody clears it: {n} x {one}."
        ),
        mistakes=[
            Mistake(str(float(one)), "assumes that backward() overwrites .grad"),
            Mistake(str(float(n * one)), "overlooks that .grad is cleared in the loop"),
            Mistake(str(float(one / 2 if zeroed else n * one / 2)), "forgets the factor 2 of the square"),
            Mistake(str(float(n * k * w**2)), "adds up losses instead of gradients", holds=not zeroed),
            Mistake(str(float(k * w**2)), "gives the loss instead of its gradient"),
            Mistake(str(float(one**n)), "multiplies the gradients of the passes", holds=not zeroed),
        ],
    )


def detached_factor(rng: random.Random) -> Draft:
    w, k = _digit(rng, 2, 6), _digit(rng, 2, 6)
    everything = "differentiates everything, as if nothing were detached"
    nothing = (0, "assumes that one detach() stops the whole gradient")
    loss, gradient, rule, mistakes = rng.choice(
        (
            (
                "w * w.detach()",
                w,
                "only the first factor depends on w",
                ((2 * w, everything), nothing, (1, "drops the detached factor; as a constant it still multiplies")),
            ),
            (
                f"w.detach() ** 2 + {k} * w",
                k,
                "the detached square is a constant; only the linear term counts",
                (
                    (2 * w + k, everything),
                    nothing,
                    (2 * w, "has it the wrong way round: the square is what is detached"),
                    (k * w, "gives the value of the linear term, not its derivative"),
                ),
            ),
            (
                f"w**2 + {k} * w.detach()",
                2 * w,
                "the detached term is a constant; only the square counts",
                (
                    (2 * w + k, everything),
                    nothing,
                    (k, "has it the wrong way round: the linear term is what is detached"),
                    (w * w, "gives the value of the square, not its derivative"),
                ),
            ),
            (
                f"{k} * w.detach() * w**2",
                2 * k * w * w,
                "the detached factor is a constant of that value, the square is differentiated",
                (
                    (3 * k * w * w, everything),
                    nothing,
                    (2 * k * w, "drops the detached factor; as a constant it still multiplies"),
                    (k * w * w, "forgets the factor 2 of the square"),
                ),
            ),
        )
    )
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nw = torch.tensor({float(w)}, requires_grad=True)\nloss = {loss}\n"
            "loss.backward()\nprint(w.grad.item())"
        ),
        worked=str(float(gradient)),
        because=f"detach() keeps the value and stops the gradient: {rule}.",
        mistakes=[Mistake(str(float(wrong)), why) for wrong, why in mistakes],
    )


def requires_grad_flow(rng: random.Random) -> Draft:
    cases = {
        "w * x": (True, "assumes that x, which needs no gradient, takes {} out of the graph"),
        "w.detach() * x": (False, "overlooks detach() in {}"),
        "x * 2": (False, "puts {} into the graph, though w is not in it"),
        "w.item() * x": (False, "overlooks that item() makes a plain number of w in {}"),
        "(w * x).detach()": (False, "overlooks detach() in {}"),
        "w + x.detach()": (True, "assumes that detach() on x takes w out of {}, too"),
    }
    first, second = rng.sample(list(cases), 2)
    (a, slip_a), (b, slip_b) = cases[first], cases[second]
    head = f"a = {first}\n"
    if a and rng.random() < 0.6:  # where a needs no gradient anyway, nobody can overlook what no_grad() does to it
        a, slip_a = False, "overlooks no_grad() around {}"
        head = f"with torch.no_grad():\n    a = {first}\n"
    slip_a, slip_b = slip_a.format("a"), slip_b.format("b")
    return Draft(
        text="Which of the results require gradients?",
        code=(
            "import torch\n\nw = torch.ones((), requires_grad=True)\nx = torch.ones(3)\n"
            f"{head}b = {second}\nprint(a.requires_grad, b.requires_grad)"
        ),
        worked=f"{a} {b}",
        because=(
            "a result requires gradients if an input does and recording is on; detach(), item() and no_grad() "
            "take it out of the graph."
        ),
        mistakes=[
            Mistake(f"{not a} {b}", slip_a),
            Mistake(f"{a} {not b}", slip_b),
            Mistake(f"{not a} {not b}", f"{slip_a}, and {slip_b}"),
        ],
    )


def inplace_breaks_backward(rng: random.Random) -> Draft:
    saver = rng.choice(("exp", "sqrt", "sigmoid", "tanh"))
    harmless = rng.sample(("sin", "cos", "neg", "log"), 2)
    names = [saver, *harmless]
    rng.shuffle(names)
    functions = ", ".join(f"torch.{name}" for name in names)
    return Draft(
        text="The result y is changed in place before backward(). Which functions does that break?",
        code=(
            "import torch\n\ndef breaks(f):\n    w = torch.tensor(1.0, requires_grad=True)\n    y = f(w)\n"
            "    y.add_(1)\n"
            "    try:\n        y.backward()\n    except RuntimeError:\n        return True\n    return False\n\n"
            f"print([f.__name__ for f in ({functions}) if breaks(f)])"
        ),
        worked=str([saver]),
        because=(
            f"the derivative of {saver} is computed from its result, which autograd saved; the others need their "
            "input, or nothing at all."
        ),
        mistakes=[
            Mistake("[]", "assumes that a change in place is always harmless"),
            Mistake(str(names), "assumes that every change in place breaks backward()"),
            Mistake(str([harmless[0]]), f"assumes that {harmless[0]} needs its own result to be differentiated"),
            Mistake(str([n for n in names if n != saver]), "has it the wrong way round"),
        ],
    )


def two_layer_chain(rng: random.Random) -> Draft:
    x, t = rng.randint(1, 3), rng.randint(-2, 4)
    w1, w2 = _digit(rng, -2, 3), _digit(rng, -3, 3)
    h = max(0, w1 * x)
    y = w2 * h
    gradient = 2 * (y - t) * w2 * (x if w1 * x > 0 else 0)
    return Draft(
        text="One hidden unit with a ReLU, squared error. What does this print?",
        code=(
            f"import torch\n\nx, t = {float(x)}, {float(t)}\nw1 = torch.tensor({float(w1)}, requires_grad=True)\n"
            f"w2 = torch.tensor({float(w2)}, requires_grad=True)\n"
            "loss = (w2 * torch.relu(w1 * x) - t) ** 2\nloss.backward()\nprint(w1.grad.item() + 0.0)"
        ),
        worked=str(float(gradient) + 0.0),
        because=(
            f"the chain rule gives 2 (y - t) · w2 · relu'(w1 x) · x = 2 · ({y} - {bracketed(t)}) · "
            f"{bracketed(w2)} · {int(w1 * x > 0)} · {x} = {gradient}."
        ),
        mistakes=[
            Mistake(str(float(2 * (y - t) * w2 * x) + 0.0), "forgets that the ReLU passes no gradient below 0"),
            Mistake(str(float(2 * (y - t) * h) + 0.0), "computes the gradient of w2"),
            Mistake(str(float((y - t) * w2 * (x if w1 * x > 0 else 0)) + 0.0), "forgets the factor 2 of the square"),
            Mistake(str(float(2 * (y - t) * (x if w1 * x > 0 else 0)) + 0.0), "leaves w2 out of the chain"),
            Mistake(str(float((y - t) ** 2)), "gives the loss instead of its gradient"),
            Mistake(str(float(2 * (y - t))), "stops at the output"),
        ],
    )


def clipped_gradient(rng: random.Random) -> Draft:
    triple, k = rng.choice(((3, 4, 5), (4, 3, 5), (5, 12, 13), (12, 5, 13), (8, 15, 17))), rng.randint(1, 3)
    a, b, norm = (k * side for side in triple)
    limit = rng.choice((0.5, 1.0, 2.0, 60.0))
    scale = min(1.0, limit / norm)
    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch import nn\n\na, b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))\n"
            f"a.grad, b.grad = torch.tensor([{float(a)}]), torch.tensor([{float(b)}])\n"
            f'nn.utils.clip_grad_norm_([a, b], max_norm={limit})\nprint(f"{{a.grad.item():.3f}}")'
        ),
        worked=f"{a * scale:.3f}",
        because=(
            f"the norm of all gradients together is √({a}² + {b}²) = {norm}; "
            + (
                "it is below the limit, so nothing changes."
                if scale == 1
                else f"all are multiplied by {limit:g}/{norm}."
            )
        ),
        mistakes=[
            Mistake(f"{min(a, limit):.3f}", "clamps each gradient by itself, as clip_grad_value_ would"),
            Mistake(f"{float(a):.3f}", "assumes that the limit is not reached"),
            Mistake(f"{a / norm:.3f}", "scales to norm 1, whatever the limit"),
            Mistake(
                f"{a * limit / (a + b):.3f}",
                "adds the gradients up instead of taking the Euclidean norm",
                holds=a + b > limit,
            ),
            Mistake(f"{b * scale:.3f}", "takes the other parameter's gradient"),
        ],
    )


GENERATORS = (
    Generator("gradient-of-polynomial", "autograd", "backward", gradient_of_polynomial),
    Generator("gradients-accumulate", "autograd", "gradient-accumulation-in-grad", gradients_accumulate),
    Generator("detached-factor", "autograd", "no-grad-and-detach", detached_factor),
    Generator("requires-grad-flow", "autograd", "no-grad-and-detach", requires_grad_flow),
    Generator("inplace-breaks-backward", "autograd", "inplace-operations", inplace_breaks_backward),
    Generator("two-layer-chain", "back-propagation", "chain-rule", two_layer_chain),
    Generator("clipped-gradient", "back-propagation", "gradient-clipping", clipped_gradient),
)
