"""Questions on losses, entropy, optimisers and regularisation."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, bracketed, count_of


def cross_entropy_of_logits(rng: random.Random) -> Draft:
    logits = [float(rng.randint(-2, 4)) for _ in range(3)]
    target = rng.randrange(3)
    exponentials = [math.exp(z) for z in logits]
    p = [e / sum(exponentials) for e in exponentials]
    nll = -math.log(p[target])
    twice = [math.exp(q) for q in p]
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\nfrom torch.nn import functional as F\n\nlogits = torch.tensor([{logits}])\n"
            f'loss = F.cross_entropy(logits, torch.tensor([{target}]))\nprint(f"{{loss.item():.3f}}")'
        ),
        worked=f"{nll:.3f}",
        because=f"softmax gives the right class the probability {p[target]:.4f}, and the loss is its -ln.",
        mistakes=[
            Mistake(
                f"{-math.log(twice[target] / sum(twice)):.3f}", "applies softmax twice: cross_entropy takes raw logits"
            ),
            Mistake(f"{nll / math.log(2):.3f}", "takes the logarithm to base 2; PyTorch's losses are in nats"),
            Mistake(f"{p[target]:.3f}", "gives the probability, not its negative logarithm"),
            Mistake(f"{-math.log(max(p)):.3f}", "scores the largest logit instead of the target's"),
            Mistake(f"{-logits[target]:.3f}", "treats the logit itself as a log-probability"),
            Mistake(f"{nll / 3:.3f}", "divides by the number of classes; the mean runs over examples"),
        ],
    )


def loss_of_a_guesser(rng: random.Random) -> Draft:
    classes, batch = rng.choice((2, 4, 5, 10, 20, 50, 100, 128, 1000)), rng.choice((4, 8, 16))
    return Draft(
        text="A fresh classifier gives every class the same logit. What is its loss?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"logits = torch.zeros({batch}, {classes})\ntarget = torch.zeros({batch}, dtype=torch.long)\n"
            'print(f"{F.cross_entropy(logits, target).item():.3f}")'
        ),
        worked=f"{math.log(classes):.3f}",
        because=f"every class gets 1/{classes}, and -ln(1/{classes}) = ln {classes}, whatever the batch size.",
        mistakes=[
            Mistake("0.000", "assumes that logits of 0 mean a loss of 0"),
            Mistake(f"{math.log2(classes):.3f}", "takes the logarithm to base 2"),
            Mistake(f"{1 / classes:.3f}", "gives the probability instead of its negative logarithm"),
            Mistake(f"{batch * math.log(classes):.3f}", "sums over the batch; the default reduction is the mean"),
            Mistake("1.000", "assumes that a guesser's loss is 1"),
        ],
    )


def squared_error_reduction(rng: random.Random) -> Draft:
    batch, width = rng.choice(((2, 2), (2, 4), (4, 2), (2, 5), (5, 2), (8, 1)))
    difference = rng.randint(1, 5)
    reduction = rng.choice(("mean", "sum"))
    total = batch * width * difference**2
    shown = "" if reduction == "mean" else ', reduction="sum"'
    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"prediction = torch.full(({batch}, {width}), {float(difference)})\n"
            f"target = torch.zeros({batch}, {width})\n"
            f"print(F.mse_loss(prediction, target{shown}).item())"
        ),
        worked=str(float(difference**2 if reduction == "mean" else total)),
        because=f"each of the {batch * width} elements has the squared error {difference**2}; they are "
        + ("averaged over all elements." if reduction == "mean" else "added up."),
        mistakes=[
            Mistake(str(float(total)), "sums; the default is the mean"),
            Mistake(str(float(difference**2)), "takes the mean although the sum was asked for"),
            Mistake(
                str(float(total / batch)),
                "divides by the batch size only, the first dimension"
                if reduction == "mean"
                else "divides by the batch size although the sum was asked for",
            ),
            Mistake(
                str(float(difference if reduction == "mean" else batch * width * difference)), "forgets the square"
            ),
            Mistake(
                str(float(difference**2 if reduction == "mean" else total) / 2),
                "has the ½ of some textbooks' formula; PyTorch has none",
            ),
        ],
    )


def binary_cross_entropy(rng: random.Random) -> Draft:
    z, t = rng.randint(-12, 12) / 4, rng.choice((0.0, 1.0))
    p = 1 / (1 + math.exp(-z))
    right = p if t == 1 else 1 - p
    again = 1 / (1 + math.exp(-p))
    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"z, t = torch.tensor({z}), torch.tensor({t})\n"
            'print(f"{F.binary_cross_entropy_with_logits(z, t).item():.3f}")'
        ),
        worked=f"{-math.log(right):.3f}",
        because=f"σ(z) = {p:.4f}; with target {t:g} the loss is -ln({right:.4f}).",
        mistakes=[
            Mistake(f"{-math.log(1 - right):.3f}", "scores the other class"),
            Mistake(f"{-math.log(again if t == 1 else 1 - again):.3f}", "applies the sigmoid twice"),
            Mistake(f"{right:.3f}", "gives a probability instead of its negative logarithm"),
            Mistake(f"{-math.log2(right):.3f}", "takes the logarithm to base 2"),
            Mistake(f"{(p - t) ** 2:.3f}", "computes the squared error of the probability"),
        ],
    )


def padded_loss(rng: random.Random) -> Draft:
    counted, padding, classes = rng.randint(2, 5), rng.randint(1, 5), rng.choice((4, 8, 10, 16))
    target = [0] * counted + [-100] * padding
    one = math.log(classes)
    n = counted + padding
    return Draft(
        text="Targets of -100 are padding. What does this print?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"logits = torch.zeros({n}, {classes})\ntarget = torch.tensor({target})\n"
            'print(f"{F.cross_entropy(logits, target).item():.3f}")'
        ),
        worked=f"{one:.3f}",
        because=f"ignore_index is -100 by default: neither the sum nor the divisor counts the padding "
        f"({count_of(padding, 'position')}), and each of the others costs ln {classes}.",
        mistakes=[
            Mistake(f"{one * counted / n:.3f}", "divides by all positions, the padded ones too"),
            Mistake(f"{one * counted:.3f}", "sums over the positions that count"),
            Mistake("nan", "assumes that an index of -100 makes the loss undefined"),
            Mistake("IndexError", "assumes that -100 is refused as a class"),
        ],
    )


def entropy_in_bits(rng: random.Random) -> Draft:
    if rng.random() < 0.5:
        p = rng.choice(([0.5, 0.5], [0.25] * 4, [0.125] * 8, [0.5, 0.25, 0.25], [0.5, 0.25, 0.125, 0.125]))
    else:
        cuts = sorted(rng.sample(range(1, 10), rng.randint(1, 3)))
        p = [(high - low) / 10 for low, high in zip([0, *cuts], [*cuts, 10], strict=True)]
    bits = -sum(q * math.log2(q) for q in p)
    return Draft(
        text="The entropy of a distribution, in bits. What does this print?",
        code=f'import torch\n\np = torch.tensor({p})\nprint(f"{{-(p * p.log2()).sum().item():.3f}}")',
        worked=f"{bits:.3f}",
        because="each outcome's surprise is -log₂ p; the entropy is its mean, weighted by p.",
        mistakes=[
            Mistake(f"{bits * math.log(2):.3f}", "gives nats (natural logarithm) instead of bits"),
            Mistake(f"{math.log2(len(p)):.3f}", "treats all outcomes as equally likely"),
            Mistake(
                f"{-sum(math.log2(q) for q in p) / len(p):.3f}", "averages the surprises without weighting them by p"
            ),
            Mistake(f"{-math.log2(max(p)):.3f}", "gives the surprise of the likeliest outcome only"),
            Mistake(f"{1 - sum(q * q for q in p):.3f}", "computes the Gini impurity"),
        ],
    )


def kl_direction(rng: random.Random) -> Draft:
    p, q = rng.sample((0.5, 0.9, 0.1, 0.8, 0.25, 0.6), 2)

    def kl(a: float, b: float) -> float:
        return a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))

    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"p, q = torch.tensor([[{p}, {round(1 - p, 2)}]]), torch.tensor([[{q}, {round(1 - q, 2)}]])\n"
            "print(f\"{F.kl_div(q.log(), p, reduction='batchmean').item():.3f}\")"
        ),
        worked=f"{kl(p, q):.3f}",
        because="F.kl_div(input, target) is KL(target‖input), and the input holds log-probabilities: Σ p ln(p/q).",
        mistakes=[
            Mistake(f"{kl(q, p):.3f}", "reads the arguments the other way round, KL(q‖p)"),
            Mistake(
                f"{-p * math.log(q) - (1 - p) * math.log(1 - q):.3f}",
                "computes the cross-entropy and doesn't subtract the entropy of p",
            ),
            Mistake(f"{kl(p, q) / math.log(2):.3f}", "gives bits instead of nats"),
            Mistake(f"{kl(p, q) / 2:.3f}", "divides by the number of outcomes too, as reduction='mean' does"),
            Mistake("0.000", "assumes that two distributions over the same outcomes have no divergence"),
        ],
    )


def perplexity_of_tokens(rng: random.Random) -> Draft:
    p = [rng.choice((0.5, 0.25, 0.125, 0.1, 0.2, 0.8)) for _ in range(3)]
    nll = [-math.log(q) for q in p]
    mean = sum(nll) / 3
    return Draft(
        text="The model gave the right tokens these probabilities. What is its perplexity?",
        code=(f'import torch\n\np = torch.tensor({p})\nnll = -p.log()\nprint(f"{{nll.mean().exp().item():.2f}}")'),
        worked=f"{math.exp(mean):.2f}",
        because=f"the mean negative log-likelihood is {mean:.4f} nats; the perplexity is e to that.",
        mistakes=[
            Mistake(
                f"{sum(1 / q for q in p) / 3:.2f}", "averages the perplexities of the tokens; average first, then exp"
            ),
            Mistake(f"{mean:.2f}", "gives the loss, without exp"),
            Mistake(f"{2**mean:.2f}", "raises 2 to a number of nats"),
            Mistake(f"{math.exp(sum(nll)):.2f}", "sums over the tokens instead of averaging"),
            Mistake(f"{3 / sum(p):.2f}", "inverts the mean probability"),
        ],
    )


def sgd_with_momentum(rng: random.Random) -> Draft:
    rate, momentum = rng.choice((1.0, 0.5, 2.0)), rng.choice((0.5, 0.9, 0.8))
    gradient, steps = float(rng.randint(1, 4)), rng.choice((2, 3))
    velocity = w = average = averaged = 0.0
    for _ in range(steps):
        velocity = momentum * velocity + gradient
        w -= rate * velocity
        average = momentum * average + (1 - momentum) * gradient
        averaged -= rate * average
    plain = -rate * gradient * steps
    return Draft(
        text="What does this print?",
        code=(
            "import torch\n\nw = torch.tensor(0.0, requires_grad=True)\n"
            f"optimizer = torch.optim.SGD([w], lr={rate}, momentum={momentum})\nfor _ in range({steps}):\n"
            f'    w.grad = torch.tensor({gradient})\n    optimizer.step()\nprint(f"{{w.item():.3f}}")'
        ),
        worked=f"{w:.3f}",
        because=f"v ← {momentum} v + {gradient:g} and w ← w - {rate:g} v, {steps} times from v = 0; the last v is "
        f"{velocity:.4g}.",
        mistakes=[
            Mistake(f"{plain:.3f}", "leaves the momentum out"),
            Mistake(f"{-rate * velocity:.3f}", "counts the last step only"),
            Mistake(f"{averaged:.3f}", "treats v as a moving average, in which the new gradient counts 1 - momentum"),
            Mistake(f"{plain / (1 - momentum):.3f}", "takes the velocity's limit from the first step on"),
            Mistake(f"{-w:.3f}", "goes up the gradient instead of down"),
        ],
    )


def adam_first_step(rng: random.Random) -> Draft:
    rate, w = rng.choice((0.1, 0.01, 0.05, 0.2)), rng.choice((1.0, 2.0, -1.0))
    gradient = rng.choice((-1, 1)) * rng.choice((0.001, 0.02, 4.0, 30.0, 500.0))
    sign = math.copysign(1, gradient)
    return Draft(
        text="The first step of Adam. What does this print?",
        code=(
            f"import torch\n\nw = torch.tensor({w}, requires_grad=True)\noptimizer = torch.optim.Adam([w], lr={rate})\n"
            f'w.grad = torch.tensor({gradient})\noptimizer.step()\nprint(f"{{w.item():.3f}}")'
        ),
        worked=f"{w - rate * sign:.3f}",
        because=f"after bias correction m̂ = g and √v̂ = |g|, so the first step subtracts lr · sign(g) = "
        f"{rate * sign:g}, whatever the size of g.",
        mistakes=[
            Mistake(f"{w - rate * gradient:.3f}", "takes the step of plain SGD"),
            Mistake(f"{w + rate * sign:.3f}", "goes up the gradient instead of down"),
            Mistake(f"{w - 0.1 * rate * sign:.3f}", "forgets the bias correction of m only"),
            Mistake(f"{w - rate * 0.1 / math.sqrt(0.001) * sign:.3f}", "forgets both bias corrections"),
            Mistake(f"{w:.3f}", "assumes that nothing moves while the averages start at 0"),
        ],
    )


def weight_decay_step(rng: random.Random) -> Draft:
    name = rng.choice(("SGD", "AdamW"))
    w, rate, decay = rng.choice((1.0, 2.0, -2.0, 4.0)), rng.choice((0.1, 0.5)), rng.choice((0.1, 0.2, 0.5))
    gradient = rng.choice((0.0, 1.0, -1.0, 2.0, 3.0))
    sign = 0.0 if gradient == 0 else math.copysign(1, gradient)
    step = gradient if name == "SGD" else sign
    worked = w - rate * decay * w - rate * step
    return Draft(
        text="One step with weight decay. What does this print?",
        code=(
            f"import torch\n\nw = torch.tensor({w}, requires_grad=True)\n"
            f"optimizer = torch.optim.{name}([w], lr={rate}, weight_decay={decay})\n"
            f'w.grad = torch.tensor({gradient})\noptimizer.step()\nprint(f"{{w.item():.3f}}")'
        ),
        worked=f"{worked:.3f}",
        because=(
            f"SGD adds the decay to the gradient: w - {rate}·({gradient:g} + {decay}·{bracketed(w)})."
            if name == "SGD"
            else f"AdamW first shrinks w by the factor 1 - {rate}·{decay}, then takes Adam's step, here "
            f"{rate * sign:g}."
        ),
        mistakes=[
            Mistake(f"{w - rate * step:.3f}", "leaves the decay out"),
            Mistake(f"{w * (1 - decay) - rate * step:.3f}", "decays by the factor 1 - λ, without the learning rate"),
            Mistake(f"{w + rate * decay * w - rate * step:.3f}", "lets the weight grow instead of shrink"),
            Mistake(
                f"{w - rate * (gradient if name == 'AdamW' else sign) - rate * decay * w:.3f}",
                "takes the step of the other optimiser",
            ),
            Mistake(
                f"{w - rate * decay * math.copysign(1, w) - rate * step:.3f}",
                "pulls by a constant, as an L1 penalty does",
            ),
            Mistake(
                f"{w - 2 * rate * decay * w - rate * step:.3f}",
                "assumes a penalty of λw², without the conventional ½",
                holds=name == "SGD",
            ),
        ],
    )


def gradient_descent_steps(rng: random.Random) -> Draft:
    a, w0, steps = rng.choice((1, 2, 3)), float(rng.choice((1, 2, 4, -2))), rng.choice((2, 3))
    rate = rng.choice((0.1, 0.25, 0.5, 0.75, 1.0))
    factor = 1 - 2 * a * rate
    return Draft(
        text="Gradient descent on a parabola. What does this print?",
        code=(
            f"import torch\n\nw = torch.tensor({w0}, requires_grad=True)\noptimizer = torch.optim.SGD([w], lr={rate})\n"
            f"for _ in range({steps}):\n    optimizer.zero_grad()\n    ({a} * w**2).backward()\n    optimizer.step()\n"
            'print(f"{w.item() + 0.0:.3f}")'
        ),
        worked=f"{w0 * factor**steps + 0.0:.3f}",
        because=f"each step multiplies w by 1 - {rate:g}·{2 * a} = {factor:g}, so {steps} steps by "
        f"{bracketed(factor)}^{steps}.",
        mistakes=[
            Mistake(f"{w0 - steps * rate * 2 * a * w0 + 0.0:.3f}", "uses the first gradient in every step"),
            Mistake(f"{w0 * (1 - a * rate) ** steps + 0.0:.3f}", "forgets the factor 2 of the derivative"),
            Mistake(f"{w0 * (1 + 2 * a * rate) ** steps:.3f}", "goes up the gradient instead of down"),
            Mistake(f"{w0 * factor + 0.0:.3f}", "counts one step only"),
            Mistake("0.000", "assumes that the minimum has been reached"),
        ],
    )


def scheduled_rate(rng: random.Random) -> Draft:
    rate, size, gamma = rng.choice((1.0, 0.5)), rng.choice((2, 3, 5)), rng.choice((0.1, 0.5))
    epochs = rng.randint(size, 3 * size + 1)
    return Draft(
        text=f"What's the learning rate after {epochs} epochs?",
        code=(
            "import torch\n\n"
            f"optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr={rate})\n"
            f"scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size={size}, gamma={gamma})\n"
            f"for _ in range({epochs}):\n    optimizer.step()\n    scheduler.step()\n"
            'print(f"{scheduler.get_last_lr()[0]:.5f}")'
        ),
        worked=f"{rate * gamma ** (epochs // size):.5f}",
        because=f"StepLR multiplies by {gamma} every {size} epochs: {count_of(epochs // size, 'time')} in {epochs}.",
        mistakes=[
            Mistake(f"{rate * gamma**epochs:.5f}", "multiplies in every epoch, as ExponentialLR does"),
            Mistake(f"{rate * gamma ** (epochs // size + 1):.5f}", "multiplies one time too many"),
            Mistake(f"{rate * gamma ** max(0, epochs // size - 1):.5f}", "multiplies one time too few"),
            Mistake(f"{rate:.5f}", "assumes that the rate stays"),
            Mistake(f"{max(0.0, rate - gamma * (epochs // size)):.5f}", "subtracts gamma instead of multiplying by it"),
        ],
    )


def dropout_output(rng: random.Random) -> Draft:
    p, x = rng.choice((0.2, 0.25, 0.5, 0.6, 0.75, 0.8)), float(rng.randint(1, 4))
    mode = rng.choice(("train", "eval"))
    kept = x / (1 - p)
    return Draft(
        text="What is the largest element after this dropout layer?",
        code=(
            f"import torch\nfrom torch import nn\n\ndropout = nn.Dropout(p={p}).{mode}()\n"
            f'print(f"{{dropout(torch.full((1000,), {x})).max().item():.3f}}")'
        ),
        worked=f"{kept if mode == 'train' else x:.3f}",
        because=(
            f"in training, what survives is divided by 1 - p = {1 - p:g}, so the mean stays the same."
            if mode == "train"
            else "in eval mode dropout does nothing at all."
        ),
        mistakes=[
            Mistake(f"{x:.3f}", "forgets that the survivors are scaled up in training"),
            Mistake(f"{kept:.3f}", "scales although the layer is in eval mode"),
            Mistake(f"{x / p:.3f}", "divides by the probability of dropping instead of keeping", holds=mode == "train"),
            Mistake(f"{x * (1 - p):.3f}", "multiplies by 1 - p where it should divide", holds=mode == "train"),
            Mistake(f"{x * (1 - p):.3f}", "scales down at test time, as the original paper did", holds=mode == "eval"),
            Mistake("0.000", "assumes that the largest elements are the ones that are dropped"),
        ],
    )


GENERATORS = (
    Generator("cross-entropy-of-logits", "losses", "cross-entropy-loss", cross_entropy_of_logits),
    Generator("loss-of-a-guesser", "losses", "cross-entropy-loss", loss_of_a_guesser),
    Generator("squared-error-reduction", "losses", "mean-squared-error", squared_error_reduction),
    Generator("binary-cross-entropy", "losses", "binary-cross-entropy", binary_cross_entropy),
    Generator("padded-loss", "losses", "loss-reduction", padded_loss),
    Generator("entropy-in-bits", "entropy", "shannon-entropy", entropy_in_bits),
    Generator("kl-direction", "entropy", "kl-divergence", kl_direction),
    Generator("perplexity-of-tokens", "entropy", "perplexity", perplexity_of_tokens),
    Generator("sgd-with-momentum", "optimisers", "momentum", sgd_with_momentum),
    Generator("adam-first-step", "optimisers", "adam", adam_first_step),
    Generator("gradient-descent-steps", "optimisers", "gradient-descent", gradient_descent_steps),
    Generator("scheduled-rate", "optimisers", "learning-rate-schedule", scheduled_rate),
    Generator("weight-decay-step", "regularisation", "weight-decay", weight_decay_step),
    Generator("dropout-output", "regularisation", "dropout", dropout_output),
)
