"""More questions on tensors, losses, information, optimisers and what is measured."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake


def topk_positions(rng: random.Random) -> Draft:
    x = rng.sample(range(1, 30), 5)
    order = sorted(range(5), key=lambda i: -x[i])
    asked = rng.choice(("x.topk(2).indices", "x.argsort()", "x.argsort(descending=True)"))
    worked = {"x.topk(2).indices": order[:2], "x.argsort()": order[::-1], "x.argsort(descending=True)": order}[asked]
    largest = [x[i] for i in worked]
    return Draft(
        text="What does this print?",
        code=f"import torch\n\nx = torch.tensor({x})\nprint({asked}.tolist())",
        worked=str(worked),
        because="these are positions, counted from 0, "
        + ("from the smallest element to the largest." if asked == "x.argsort()" else "the largest element first."),
        mistakes=[
            Mistake(
                str(largest),
                "gives the values instead of their positions",
                instead=[(f"{asked}.tolist()", f"x[{asked}].tolist()")],
            ),
            Mistake(
                str(worked[::-1]),
                "has the order the wrong way round",
                instead=[(f"{asked}.tolist()", f"{asked}.flip(0).tolist()")],
            ),
            Mistake(
                str([i + 1 for i in worked]),
                "counts from 1",
                instead=[(f"{asked}.tolist()", f"({asked} + 1).tolist()")],
            ),
            Mistake(
                str([worked.index(i) for i in range(5)]) if len(worked) == 5 else str(order[:1]),
                "gives each element's rank" if len(worked) == 5 else "gives the largest element's position only",
            ),
        ],
    )


def gathered(rng: random.Random) -> Draft:
    x = [[rng.randint(1, 40) for _ in range(3)] for _ in range(2)]
    index = [[rng.randrange(3) for _ in range(2)] for _ in range(2)]
    worked = [[x[i][j] for j in row] for i, row in enumerate(index)]
    return Draft(
        text="What does this print?",
        code=(
            f"import torch\n\nx = torch.tensor({x})\nindex = torch.tensor({index})\nprint(x.gather(1, index).tolist())"
        ),
        worked=str(worked),
        because="out[i, j] = x[i, index[i, j]]: each row of the index names columns of the same row of x.",
        mistakes=[
            Mistake(str(index), "gives the index itself", instead=[("x.gather(1, index)", "index")]),
            Mistake(
                str([[x[0][j] for j in row] for row in index]),
                "reads the first row only",
                instead=[("x.gather", "x[:1].expand(2, 3).gather")],
            ),
            Mistake(
                str([row[:2] for row in x]), "takes the first columns", instead=[("x.gather(1, index)", "x[:, :2]")]
            ),
            Mistake(
                str([[x[min(j, 1)][c] for c, j in enumerate(row)] for row in index]),
                "reads the index as rows, as dim 0 would",
                instead=[("gather(1, index)", "gather(0, index.clamp(max=1))")],
                holds=max(map(max, index)) <= 1,
            ),
            Mistake(
                str([[x[i][j] for j in reversed(row)] for i, row in enumerate(index)]),
                "reads the index backwards",
                instead=[("index).tolist()", "index.flip(1)).tolist()")],
            ),
        ],
    )


def huber_value(rng: random.Random) -> Draft:
    error, delta = rng.choice((0.2, 0.5, 1.5, 2.0, 3.0, 5.0)), rng.choice((1.0, 2.0))
    value = error**2 / 2 if error <= delta else delta * (error - delta / 2)
    call = f"F.huber_loss(torch.tensor({error}), torch.tensor(0.0), delta={delta})"
    return Draft(
        text="What does this print?",
        code=f'import torch\nfrom torch.nn import functional as F\n\nprint(f"{{({call}).item():.3f}}")',
        worked=f"{value:.3f}",
        because=f"the error {error:g} is {'within' if error <= delta else 'beyond'} delta = {delta:g}: "
        + ("½e²." if error <= delta else "delta · (e - delta/2), a straight line."),
        mistakes=[
            Mistake(
                f"{error**2:.3f}",
                "takes the squared error without the ½",
                instead=[(call, f"torch.tensor({error}) ** 2")],
            ),
            Mistake(f"{error**2 / 2:.3f}", "uses the parabola beyond delta as well", holds=error > delta),
            Mistake(f"{error:.3f}", "takes the absolute error"),
            Mistake(f"{delta * error:.3f}", "forgets to subtract delta²/2 on the straight part", holds=error > delta),
            Mistake(f"{delta * (error - delta / 2):.3f}", "uses the straight line within delta", holds=error < delta),
        ],
        card_id="mean-squared-error",
    )


def weighted_loss(rng: random.Random) -> Draft:
    w = [1.0, float(rng.choice((2, 3, 4, 9)))]
    losses = [rng.choice((1, 2, 3)), rng.choice((4, 5, 6))]
    weighted = (w[0] * losses[0] + w[1] * losses[1]) / sum(w)
    return Draft(
        text="These are the losses of one example of each class; w holds the class weights. What is the weighted mean?",
        code=(
            f"import torch\n\nloss, w = torch.tensor({[float(v) for v in losses]}), torch.tensor({w})\n"
            'print(f"{((w * loss).sum() / w.sum()).item():.3f}")  # as cross_entropy(weight=w) does'
        ),
        worked=f"{weighted:.3f}",
        because=f"({w[0]:g}·{losses[0]} + {w[1]:g}·{losses[1]})/({w[0]:g} + {w[1]:g}): it divides by the sum of the "
        "weights.",
        mistakes=[
            Mistake(
                f"{(w[0] * losses[0] + w[1] * losses[1]) / 2:.3f}",
                "divides by the number of examples",
                instead=[("/ w.sum()", "/ 2")],
            ),
            Mistake(
                f"{sum(losses) / 2:.3f}", "forgets the weights", instead=[("(w * loss).sum() / w.sum()", "loss.mean()")]
            ),
            Mistake(
                f"{w[0] * losses[0] + w[1] * losses[1]:.3f}", "sums instead of averaging", instead=[(" / w.sum()", "")]
            ),
            Mistake(
                f"{(losses[0] / w[0] + losses[1] / w[1]) / (1 / w[0] + 1 / w[1]):.3f}",
                "weights by the inverse",
                instead=[("(w * loss).sum() / w.sum()", "(loss / w).sum() / (1 / w).sum()")],
            ),
        ],
        card_id="label-smoothing-and-class-weights",
    )


def shared_information(rng: random.Random) -> Draft:
    kind = rng.choice(("copy", "independent", "noisy", "noisy", "noisy"))
    p = rng.randint(27, 49) / 100
    joint = {
        "copy": [[0.5, 0.0], [0.0, 0.5]],
        "independent": [[0.25, 0.25], [0.25, 0.25]],
        "noisy": [[p, round(0.5 - p, 2)], [round(0.5 - p, 2), p]],
    }[kind]
    h = -sum(q * math.log2(q) for row in joint for q in row if q > 0)
    return Draft(
        text="The joint distribution of two fair coins X and Y. How many bits does X tell you about Y?",
        code=(
            f"import torch\n\np = torch.tensor({joint})\n"
            "h = lambda q: -torch.special.xlogy(q, q).sum().item() / 0.6931471805599453\n"
            'print(f"{abs(h(p.sum(0)) + h(p.sum(1)) - h(p)):.3f}")'
        ),
        worked=f"{abs(2 - h):.3f}",
        because=f"I(X; Y) = H(X) + H(Y) - H(X, Y) = 1 + 1 - {h:.3f} bits.",
        mistakes=[
            Mistake(f"{h:.3f}", "gives the joint entropy", instead=[("abs(h(p.sum(0)) + h(p.sum(1)) - h(p))", "h(p)")]),
            Mistake(
                f"{abs(h - 1):.3f}",
                "gives what stays uncertain, H(Y|X)",
                instead=[("abs(h(p.sum(0)) + h(p.sum(1)) - h(p))", "abs(h(p) - h(p.sum(1)))")],
            ),
            Mistake("2.000", "adds the two entropies", instead=[(" - h(p))", ")")]),
            Mistake(
                f"{abs(2 - h) * math.log(2):.3f}", "gives nats", instead=[(" - h(p))", " - h(p)) * 0.6931471805599453")]
            ),
            Mistake("1.000", "mistakes Y's entropy for what X tells you about it", holds=kind != "copy"),
        ],
        card_id="mutual-information",
    )


def warmed_up_rate(rng: random.Random) -> Draft:
    peak, warm = rng.choice((0.1, 0.4, 1.0)), rng.choice((10, 20, 50))
    step = rng.choice((warm // 2, warm // 5, warm, 2 * warm))
    rate = peak * min(1.0, step / warm)
    return Draft(
        text=f"Linear warm-up over {warm} steps. What's the learning rate after {step} steps?",
        code=(
            "import torch\n\n"
            f"optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr={peak})\n"
            f"schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, s / {warm}))\n"
            f"for _ in range({step}):\n    optimizer.step()\n    schedule.step()\n"
            'print(f"{schedule.get_last_lr()[0]:.4f}")'
        ),
        worked=f"{rate:.4f}",
        because=f"{peak} · min(1, {step}/{warm}).",
        mistakes=[
            Mistake(
                f"{peak:.4f}",
                "assumes that the rate is at its peak from the start",
                instead=[(f"min(1.0, s / {warm})", "1.0")],
            ),
            Mistake(
                f"{peak * step / warm:.4f}",
                "lets the warm-up go on for ever",
                instead=[(f"min(1.0, s / {warm})", f"s / {warm}")],
            ),
            Mistake(
                f"{peak * max(0.0, 1 - step / warm):.4f}",
                "lets the rate fall instead of rise",
                instead=[(f"min(1.0, s / {warm})", f"max(0.0, 1 - s / {warm})")],
            ),
            Mistake(
                f"{peak * warm / (step + warm):.4f}",
                "shrinks the rate with the number of steps",
                instead=[(f"min(1.0, s / {warm})", f"{warm} / (s + {warm})")],
            ),
        ],
    )


def soft_threshold(rng: random.Random) -> Draft:
    w = rng.choice((-1, 1)) * rng.choice((0.03, 0.2, 0.5, 1.0, 2.0))
    pull = rng.choice((0.05, 0.1, 0.3))
    value = math.copysign(max(abs(w) - pull, 0.0), w)
    return Draft(
        text="One step of an L1 penalty (soft threshold). What does this print?",
        code=(
            f"import torch\n\nw, pull = torch.tensor({w}), {pull}\n"
            'print(f"{(w.sign() * (w.abs() - pull).clamp(min=0)).item() + 0.0:.3f}")'
        ),
        worked=f"{value + 0.0:.3f}",
        because=f"every weight is pulled towards 0 by {pull:g}, "
        + ("and this one arrives and stays." if value == 0 else "whatever its size."),
        mistakes=[
            Mistake(
                f"{w * (1 - pull):.3f}",
                "shrinks in proportion, as L2 does",
                instead=[("w.sign() * (w.abs() - pull).clamp(min=0)", "w * (1 - pull)")],
            ),
            Mistake(
                f"{w - math.copysign(pull, w):.3f}",
                "lets the weight jump across 0",
                instead=[(".clamp(min=0)", "")],
                holds=abs(w) < pull,
            ),
            Mistake(
                f"{w + math.copysign(pull, w):.3f}",
                "pushes away from 0",
                instead=[("w.abs() - pull", "w.abs() + pull")],
            ),
            Mistake(f"{w:.3f}", "leaves the weight alone", instead=[("w.abs() - pull", "w.abs()")]),
            Mistake("0.000", "sets every weight to 0"),
        ],
    )


def noise_ratio(rng: random.Random) -> Draft:
    factor = rng.choice((2, 3, 4, 5, 8, 10, 20, 50, 100, 1000))
    snr = 20 * math.log10(factor)
    return Draft(
        text=f"The signal's amplitude is {factor} times the noise's. What's the signal-to-noise ratio, in dB?",
        code=f'import math\n\nratio = {factor}  # of the amplitudes\nprint(f"{{20 * math.log10(ratio):.1f}}")',
        worked=f"{snr:.1f}",
        because=f"amplitudes count 20 log₁₀ {factor}; it's 10 log₁₀ of the powers, which are the squares.",
        mistakes=[
            Mistake(f"{snr / 2:.1f}", "takes 10 log₁₀ of the amplitudes", instead=[("20 *", "10 *")]),
            Mistake(f"{20 * math.log(factor):.1f}", "takes the natural logarithm", instead=[("log10", "log")]),
            Mistake(f"{20 * math.log2(factor):.1f}", "takes the logarithm to base 2", instead=[("log10", "log2")]),
            Mistake(f"{float(factor):.1f}", "gives the ratio itself", instead=[("20 * math.log10(ratio)", "ratio")]),
            Mistake(
                f"{-snr:.1f}",
                "has noise and signal the wrong way round",
                instead=[("log10(ratio)", "log10(1 / ratio)")],
            ),
        ],
        card_id="audio-augmentation",
    )


def calibration_gap(rng: random.Random) -> Draft:
    n = rng.choice((4, 5, 8, 10))
    right = rng.randint(1, n - 1)
    confidence = rng.choice((0.6, 0.7, 0.8, 0.9, 0.95))
    gap = abs(confidence - right / n)
    return Draft(
        text=f"{n} predictions with the same confidence. What is the calibration gap of this bin?",
        code=(
            f"import torch\n\nconfidence = torch.full(({n},), {confidence})\nright = "
            f"torch.tensor({[1.0] * right + [0.0] * (n - right)})\n"
            'print(f"{(confidence.mean() - right.mean()).abs().item():.3f}")'
        ),
        worked=f"{gap:.3f}",
        because=f"mean confidence {confidence:g} against {right} right of {n}, {right / n:.3f}.",
        mistakes=[
            Mistake(
                f"{1 - confidence:.3f}",
                "takes what is missing to certainty",
                instead=[("confidence.mean() - right.mean()", "1 - confidence.mean()")],
            ),
            Mistake(
                f"{1 - right / n:.3f}",
                "gives the error rate",
                instead=[("confidence.mean() - right.mean()", "1 - right.mean()")],
            ),
            Mistake(
                f"{confidence * right / n:.3f}", "multiplies instead of comparing", instead=[("- right", "* right")]
            ),
            Mistake(
                f"{(right * (confidence - 1) ** 2 + (n - right) * confidence**2) / n:.3f}",
                "computes the Brier score",
                instead=[("confidence.mean() - right.mean()", "((confidence - right) ** 2).mean()")],
            ),
        ],
        card_id="expected-calibration-error",
    )


def averaged_weight(rng: random.Random) -> Draft:
    beta, steps = rng.choice((0.5, 0.8, 0.9)), rng.choice((2, 3))
    target = float(rng.choice((1, 2, 10)))
    value = target * (1 - beta**steps)
    return Draft(
        text=f"An average that starts at 0 follows a weight of {target:g}. What does this print?",
        code=(f'e = 0.0\nfor _ in range({steps}):\n    e = {beta} * e + (1 - {beta}) * {target}\nprint(f"{{e:.3f}}")'),
        worked=f"{value:.3f}",
        because=f"{target:g} · (1 - {beta}^{steps}): after k steps the share βᵏ is still missing.",
        mistakes=[
            Mistake(
                f"{target:.3f}", "assumes that it follows at once", instead=[(f"{beta} * e + (1 - {beta}) * ", "")]
            ),
            Mistake(
                f"{target * beta**steps:.3f}",
                "gives the share that is missing",
                instead=[("e = 0.0", f"e = {target}"), (f" + (1 - {beta}) * {target}", "")],
            ),
            Mistake(
                f"{target * (1 - (1 - beta) ** steps):.3f}",
                "has β on the new value",
                instead=[(f"{beta} * e + (1 - {beta})", f"(1 - {beta}) * e + {beta}")],
            ),
            Mistake(
                f"{target * (1 - beta) * steps:.3f}", "adds the same step each time", instead=[(f"{beta} * e", "e")]
            ),
            Mistake(f"{target * (1 - beta):.3f}", "counts one step only", instead=[(f"range({steps})", "range(1)")]),
        ],
        card_id="moving-average-of-weights",
    )


def divergence_of_strangers(rng: random.Random) -> Draft:
    overlap = rng.randint(0, 9) / 10
    p, q = [round(1 - overlap, 1), overlap, 0.0], [0.0, overlap, round(1 - overlap, 1)]
    value = (1 - overlap) * math.log(2)
    return Draft(
        text="What is the Jensen-Shannon divergence of p and q, in nats?",
        code=(
            f"import torch\n\np, q = torch.tensor({p}), torch.tensor({q})\nm = (p + q) / 2\n"
            "kl = lambda a, b: torch.special.xlogy(a, a / b).nansum()\n"
            'print(f"{((kl(p, m) + kl(q, m)) / 2).item():.3f}")'
        ),
        worked=f"{value:.3f}",
        because=(f"where they overlap ({overlap:g}), both equal m and add nothing; " if overlap else "")
        + f"where one of them is 0, the other is 2m: KL(p‖m) and KL(q‖m) are both {1 - overlap:g} · ln 2, and so is "
        "their mean.",
        mistakes=[
            Mistake(
                f"{2 * value:.3f}",
                "forgets the two halves",
                instead=[("(kl(p, m) + kl(q, m)) / 2", "kl(p, m) + kl(q, m)")],
            ),
            Mistake("inf", "computes KL(p‖q), which is infinite where q = 0"),
            Mistake(
                f"{1 - overlap:.3f}",
                "gives bits instead of nats",
                instead=[("/ 2).item()", "/ 2 / 0.6931471805599453).item()")],
            ),
            Mistake("0.000", "assumes that distributions of the same shape don't differ"),
            Mistake(f"{math.log(2):.3f}", "treats them as fully separate", holds=overlap > 0),
        ],
        card_id="jensen-shannon",
    )


GENERATORS = (
    Generator("topk-positions", "tensors", "sorting-and-topk", topk_positions),
    Generator("gathered", "tensors", "scatter-and-gather", gathered),
    Generator("huber-value", "losses", "mean-squared-error", huber_value),
    Generator("weighted-loss", "losses", "label-smoothing-and-class-weights", weighted_loss),
    Generator("shared-information", "entropy", "mutual-information", shared_information),
    Generator("divergence-of-strangers", "gans", "jensen-shannon", divergence_of_strangers),
    Generator("warmed-up-rate", "optimisers", "learning-rate-schedule", warmed_up_rate),
    Generator("soft-threshold", "regularisation", "l1-and-sparsity", soft_threshold),
    Generator("noise-ratio", "media-data", "audio-augmentation", noise_ratio),
    Generator("calibration-gap", "evaluation", "expected-calibration-error", calibration_gap),
    Generator("averaged-weight", "training", "moving-average-of-weights", averaged_weight),
)
