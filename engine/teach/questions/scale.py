"""Questions on tables and logs, on projects, and on the worked study."""

from __future__ import annotations

import random

from engine.teach.questions.question import Draft, Generator, Mistake, count_of


def rows_of_a_join(rng: random.Random) -> Draft:
    left = [rng.choice((1, 1, 2, 3)) for _ in range(rng.randint(3, 5))]
    right = [rng.choice((1, 2, 2, 4)) for _ in range(rng.randint(3, 5))]
    kind = rng.choice(("INNER", "LEFT"))
    pairs = sum(a == b for a in left for b in right)
    lonely = sum(a not in right for a in left)
    values = lambda keys: ", ".join(f"({k})" for k in keys)  # noqa: E731
    return Draft(
        text="How many rows does the result have?",
        code=(
            'import sqlite3\n\ndb = sqlite3.connect(":memory:")\n'
            f'db.executescript("CREATE TABLE a (k); INSERT INTO a VALUES {values(left)};"\n'
            f'                 "CREATE TABLE b (k); INSERT INTO b VALUES {values(right)};")\n'
            f'print(len(db.execute("SELECT * FROM a {kind} JOIN b USING (k)").fetchall()))'
        ),
        worked=str(pairs + (lonely if kind == "LEFT" else 0)),
        because=f"{count_of(pairs, 'pair')} of rows {'agrees' if pairs == 1 else 'agree'} in k; a key that occurs m "
        "times on the left and n times on the right makes m · n pairs; "
        + {
            "INNER": "rows without a partner go.",
            "LEFT": f"rows of a without a partner stay, and there {'is' if lonely == 1 else 'are'} {lonely or 'none'}.",
        }[kind],
        mistakes=[
            Mistake(str(pairs), "drops the rows without a partner", instead=[("LEFT", "INNER")], holds=kind == "LEFT"),
            Mistake(
                str(pairs + lonely),
                "keeps the rows without a partner",
                instead=[("INNER", "LEFT")],
                holds=kind != "LEFT",
            ),
            Mistake(str(len(left)), "assumes that a join keeps the left table's number of rows"),
            Mistake(str(len(set(left) & set(right))), "counts the keys that both have"),
            Mistake(
                str(len(left) * len(right)),
                "pairs every row with every row",
                instead=[(f"{kind} JOIN b USING (k)", ", b")],
            ),
            Mistake(str(len(left) + len(right)), "puts one table below the other, as a union does"),
        ],
    )


def value_known_then(rng: random.Random) -> Draft:
    days = sorted(rng.sample(range(1, 20), 3))
    values = rng.sample(range(10, 60, 5), 3)
    event = rng.choice((days[1], days[1] + 1, days[2], days[2] - 1))
    known = [v for d, v in zip(days, values, strict=True) if d < event][-1]
    at = [v for d, v in zip(days, values, strict=True) if d <= event][-1]
    later = [v for d, v in zip(days, values, strict=True) if d >= event]
    return Draft(
        text=f"An event on day {event}. Which value was known strictly before it?",
        code=(
            f"import torch\n\nday, value = torch.tensor({days}), torch.tensor({values})\n"
            f"print(value[torch.searchsorted(day, torch.tensor({event})) - 1].item())"
        ),
        worked=str(known),
        because=f"the last change before day {event} counts; what came on that day or later was not known yet.",
        mistakes=[
            Mistake(
                str(at),
                "takes the value of the day itself",
                instead=[(f"torch.tensor({event}))", f"torch.tensor({event}), right=True)")],
            ),
            Mistake(str(values[-1]), "takes the newest value, which leaks the future"),
            Mistake(str(values[0]), "takes the oldest value"),
            Mistake(str(later[0] if later else values[-1]), "takes the next change after the event"),
            Mistake(str(max(values)), "takes the largest value"),
        ],
    )


def mean_of_groups(rng: random.Random) -> Draft:
    sizes = rng.sample((1, 2, 3, 4, 5), 2)
    means = rng.sample((2, 4, 6, 8, 10, 20), 2)
    values = [float(means[0])] * sizes[0] + [float(means[1])] * sizes[1]
    total = sum(values) / len(values)
    return Draft(
        text="Two groups of different size. What is the mean of all values?",
        code=(
            f"import torch\n\ngroup = torch.tensor({[0] * sizes[0] + [1] * sizes[1]})\n"
            f'value = torch.tensor({values})\nprint(f"{{value.mean().item():.3f}}")'
        ),
        worked=f"{total:.3f}",
        because=f"({sizes[0]}·{means[0]} + {sizes[1]}·{means[1]})/{sum(sizes)}: every value counts once.",
        mistakes=[
            Mistake(
                f"{sum(means) / 2:.3f}",
                "averages the groups' means, as if the groups were equally large",
                instead=[("value.mean()", "torch.stack([value[group == g].mean() for g in (0, 1)]).mean()")],
            ),
            Mistake(
                f"{float(means[0]):.3f}",
                "takes the first group only",
                instead=[("value.mean()", "value[group == 0].mean()")],
            ),
            Mistake(f"{sum(values):.3f}", "adds up instead of averaging", instead=[("value.mean()", "value.sum()")]),
            Mistake(
                f"{sum(values) / 2:.3f}",
                "divides by the number of groups",
                instead=[("value.mean()", "(value.sum() / 2)")],
            ),
        ],
    )


def chance_to_be_sampled(rng: random.Random) -> Draft:
    k, n = rng.choice((2, 5, 10, 20)), rng.choice((50, 100, 200, 400))
    at = rng.choice((n // 2, n))
    return Draft(
        text=f"Reservoir sampling keeps {k} rows. How likely is row {at} to enter when it arrives?",
        code=f'k, n = {k}, {at}\nprint(f"{{k / n:.4f}}")',
        worked=f"{k / at:.4f}",
        because=f"the n-th row enters with probability k/n = {k}/{at}; at the end all rows have the same chance.",
        mistakes=[
            Mistake(
                f"{1 / at:.4f}",
                "counts one place only; the row may take any of the k",
                instead=[("{k / n:", "{1 / n:")],
            ),
            Mistake(
                f"{1 / k:.4f}",
                "gives the chance of each place once the row has entered",
                instead=[("{k / n:", "{1 / k:")],
            ),
            Mistake("0.5000", "assumes that a fair coin decides whether a row is kept"),
            Mistake(f"{k / (at + k):.4f}", "counts the reservoir's rows again", instead=[("{k / n:", "{k / (n + k):")]),
            Mistake("1.0000", "assumes that every row enters at first", holds=at > k),
        ],
    )


def bytes_of_a_column(rng: random.Random) -> Draft:
    rows, columns = rng.choice((1000, 10_000, 50_000)), rng.choice((10, 20, 50))
    dtype, size = rng.choice((("int32", 4), ("float64", 8), ("int16", 2)))
    return Draft(
        text=f"A table of {columns} columns is stored column by column. How many bytes does one column "
        f"take, uncompressed?",
        code=(
            f'import numpy as np\n\ntable = {{f"c{{i}}": np.zeros({rows}, dtype=np.{dtype}) for i in '
            f"range({columns})}}\n"
            'print(table["c0"].nbytes)'
        ),
        worked=str(rows * size),
        because=f"{rows} values of {size} bytes; in a columnar file the other columns aren't read at all.",
        mistakes=[
            Mistake(
                str(rows * size * columns),
                "reads all the columns, as a row format makes you",
                instead=[('table["c0"].nbytes', "sum(c.nbytes for c in table.values())")],
            ),
            Mistake(str(rows), "counts values instead of bytes", instead=[(".nbytes", ".size")]),
            Mistake(
                str(columns * size),
                "mistakes a row for a column",
                instead=[('table["c0"].nbytes', "sum(c[:1].nbytes for c in table.values())")],
            ),
            Mistake(str(rows * size * 8), "counts bits", instead=[(".nbytes", ".nbytes * 8")]),
        ],
    )


def layers_run_again(rng: random.Random) -> Draft:
    lines = [
        "FROM python:3.11-slim",
        "COPY requirements.lock .",
        "RUN pip install -r requirements.lock",
        "COPY . .",
        'CMD ["python", "train.py"]',
    ]
    if rng.random() < 0.5:
        lines[1:4] = ["COPY . .", "RUN pip install -r requirements.lock"]
    if rng.random() < 0.4:
        lines.insert(1, "RUN apt-get update")
    if rng.random() < 0.4:
        lines.insert(-1, "RUN python -m compileall .")
    if rng.random() < 0.5:
        lines.insert(-1, "EXPOSE 8000")
    if rng.random() < 0.4:
        lines.insert(1, "WORKDIR /app")
    changed = rng.choice(("train.py", "requirements.lock"))
    first = next(
        i for i, line in enumerate(lines) if line.startswith("COPY") and (line == "COPY . ." or changed in line)
    )
    shown = "\n".join(f"    {line!r}," for line in lines)
    return Draft(
        text=f"Only {changed} has changed. How many instructions does docker build run again?",
        code=(
            f"lines = [\n{shown}\n]\nchanged = {changed!r}\n"
            'first = next(i for i, l in enumerate(lines) if l.startswith("COPY") and (l == "COPY . ." or '
            "changed in l))\n"
            "print(len(lines) - first)"
        ),
        worked=str(len(lines) - first),
        because=f"the first layer whose input changed is {lines[first]!r}; it and everything after it are rebuilt.",
        mistakes=[
            Mistake("1", "assumes that only the layer with the change is rebuilt", holds=len(lines) - first > 1),
            Mistake(
                str(len(lines)),
                "assumes that everything is rebuilt",
                instead=[("print(len(lines) - first)", "print(len(lines))")],
            ),
            Mistake(
                str(first),
                "counts the layers that come from the cache",
                instead=[("print(len(lines) - first)", "print(first)")],
            ),
            Mistake(
                str(len(lines) - first - 1),
                "counts only what comes after the changed layer",
                instead=[("- first)", "- first - 1)")],
            ),
            Mistake("0", "assumes that layers are only rebuilt when the Dockerfile changes"),
        ],
    )


def newest_allowed(rng: random.Random) -> Draft:
    minor = rng.randint(2, 8)
    versions = [(2, minor), (2, minor + 1), (2, 10 + rng.randint(0, 5)), (3, rng.randint(0, 2))]
    low, high = (2, minor), rng.choice(((3, 0), (2, 10)))
    allowed = [v for v in versions if low <= v < high]
    text = lambda v: f"{v[0]}.{v[1]}"  # noqa: E731
    by_decimal = max((v for v in versions if v < (3, 0)), key=lambda v: float(text(v)))
    return Draft(
        text=f"Which is the newest of these versions that '>={text(low)},<{text(high)}' allows?",
        code=(
            f"versions = {[text(v) for v in versions]}\n"
            'part = lambda v: tuple(map(int, v.split(".")))\n'
            f'print("torch", max((v for v in versions if part("{text(low)}") <= part(v) < '
            f'part("{text(high)}")), key=part))'
        ),
        worked=f"torch {text(max(allowed))}",
        because="versions are compared part by part: 2.10 is later than 2.9; the upper bound itself is not allowed.",
        mistakes=[
            Mistake(f"torch {text(max(versions))}", "ignores the upper bound", holds=max(versions) >= high),
            Mistake(f"torch {text(low)}", "mistakes the lower bound for a pin", holds=low != max(allowed)),
            Mistake(f"torch {text(by_decimal)}", "compares them as decimal numbers", holds=by_decimal != max(allowed)),
            Mistake(f"torch {text(high)}", "takes the upper bound itself", holds=high in versions),
            Mistake(f"torch {text(versions[2])}", "takes the largest minor version", holds=versions[2] >= high),
        ],
    )


def majority_baseline(rng: random.Random) -> Draft:
    counts = sorted((rng.randint(20, 90) for _ in range(3)), reverse=True)
    rng.shuffle(counts)
    total = sum(counts)
    return Draft(
        text="Examples per class. What accuracy does 'always the commonest class' reach?",
        code=f'import torch\n\ncounts = torch.tensor({counts})\nprint(f"{{(counts.max() / counts.sum()).item():.3f}}")',
        worked=f"{max(counts) / total:.3f}",
        because=f"{max(counts)} of {total} examples are of the commonest class; a model has to beat that.",
        mistakes=[
            Mistake(
                f"{1 / 3:.3f}",
                "takes the chance of three equal classes",
                instead=[("counts.max() / counts.sum()", "torch.tensor(1 / 3)")],
            ),
            Mistake(f"{min(counts) / total:.3f}", "takes the rarest class", instead=[("counts.max()", "counts.min()")]),
            Mistake(
                f"{sum((c / total) ** 2 for c in counts):.3f}",
                "guesses classes as often as they occur",
                instead=[("counts.max() / counts.sum()", "((counts / counts.sum()) ** 2).sum()")],
            ),
            Mistake(
                f"{1 - max(counts) / total:.3f}",
                "gives the error instead of the accuracy",
                instead=[("counts.max() / counts.sum()", "1 - counts.max() / counts.sum()")],
            ),
        ],
        card_id="baseline-first",
    )


def residual_block_parameters(rng: random.Random) -> Draft:
    c, stride = rng.choice((8, 12, 16, 24, 32, 48, 64, 96, 128)), rng.choice((1, 2))
    out = c if stride == 1 else 2 * c
    first, second, norms = 9 * c * out, 9 * out * out, 4 * out
    shortcut = 0 if stride == 1 else c * out + 2 * out
    return Draft(
        text="How many parameters does this residual block of torchvision's have?",
        code=(
            "from torch import nn\nfrom torchvision.models.resnet import BasicBlock\n\n"
            + (
                f"block = BasicBlock({c}, {c})\n"
                if stride == 1
                else f"shortcut = nn.Sequential(nn.Conv2d({c}, {out}, 1, stride=2, bias=False), "
                f"nn.BatchNorm2d({out}))\n"
                f"block = BasicBlock({c}, {out}, stride=2, downsample=shortcut)\n"
            )
            + "print(sum(p.numel() for p in block.parameters()))"
        ),
        worked=str(first + second + norms + shortcut),
        because=f"two 3x3 convolutions without bias, {first} and {second}, two batch norms of {2 * out} each"
        + (
            f", and the shortcut's 1x1 convolution and norm, {shortcut}."
            if shortcut
            else "; the shortcut is the identity."
        ),
        mistakes=[
            Mistake(str(first + second), "forgets the batch norms' scale and shift", holds=stride == 1),
            Mistake(str(first + second + norms), "forgets the shortcut's convolution and norm", holds=stride == 2),
            Mistake(
                str(first + second + norms + shortcut + (2 if stride == 1 else 3) * out),
                "counts biases that the convolutions don't have",
            ),
            Mistake(
                str(first + second + 2 * norms + shortcut),
                "counts the running means and variances, which are buffers",
                holds=stride == 1,
            ),
            Mistake(str(first + second + norms + c * c), "gives the identity shortcut weights", holds=stride == 1),
            Mistake(
                str(2 * first + norms + shortcut),
                "assumes that the second convolution is as large as the first",
                holds=stride == 2,
            ),
        ],
        card_id="resnet-for-small-pictures",
    )


def paired_difference(rng: random.Random) -> Draft:
    n = 10 * rng.randint(20, 100)
    only_a, only_b = rng.randint(5, 20), rng.randint(21, 60)
    both = rng.randint(n // 2, n - 90)
    return Draft(
        text="Two models on the same test set. By how many percentage points is B more accurate than A?",
        code=(
            f"n, both_right, only_a, only_b = {n}, {both}, {only_a}, {only_b}\n"
            'print(f"{100 * (only_b - only_a) / n:.2f}")'
        ),
        worked=f"{100 * (only_b - only_a) / n:.2f}",
        because=f"A is right {both + only_a} times and B {both + only_b} times of {n}; what both get right cancels.",
        mistakes=[
            Mistake(
                f"{100 * only_b / n:.2f}", "forgets what only A gets right", instead=[("(only_b - only_a)", "only_b")]
            ),
            Mistake(
                f"{100 * (only_b - only_a) / (only_a + only_b):.2f}",
                "divides by the cases in which they differ",
                instead=[("/ n", "/ (only_a + only_b)")],
            ),
            Mistake(
                f"{100 * (both + only_b) / n:.2f}",
                "gives B's accuracy",
                instead=[("(only_b - only_a)", "(both_right + only_b)")],
            ),
            Mistake(
                f"{(only_b - only_a) / n:.2f}", "gives a share instead of percentage points", instead=[("100 * ", "")]
            ),
        ],
        card_id="comparing-two-models",
    )


def workers_needed(rng: random.Random) -> Draft:
    load, step = rng.choice((60, 90, 120, 200, 250)), rng.choice((20, 25, 40, 50, 70))
    need = -(-load // step)
    return Draft(
        text="One worker loads a batch in load_ms, and a training step takes step_ms. How many workers does it "
        "take to keep the GPU busy?",
        code=f"from math import ceil\n\nload_ms, step_ms = {load}, {step}\nprint(ceil(load_ms / step_ms))",
        worked=str(need),
        because=f"{load}/{step} = {load / step:.2f}: with {count_of(need, 'worker')} a batch arrives every "
        f"{load / need:.3g} ms.",
        mistakes=[
            Mistake(
                str(load // step),
                "rounds down: then the GPU waits a little",
                instead=[("ceil(load_ms / step_ms)", "load_ms // step_ms")],
                holds=load % step > 0 and load > step,
            ),
            Mistake(
                str(max(1, -(-step // load))),
                "divides the wrong way round",
                instead=[("load_ms / step_ms", "step_ms / load_ms")],
            ),
            Mistake(str(need + 1), "adds one for the main process"),
            Mistake(
                str(load - step),
                "subtracts instead of dividing",
                instead=[("ceil(load_ms / step_ms)", "load_ms - step_ms")],
                holds=load > step,
            ),
            Mistake("1", "assumes that one worker is always ahead", holds=load > step),
        ],
    )


def cost_of_a_threshold(rng: random.Random) -> Draft:
    miss = rng.randint(2, 25)
    return Draft(
        text=f"A miss costs {miss} times as much as a false alarm. From what calibrated probability "
        f"upwards should you say yes?",
        code=f'miss = {miss}  # a false alarm costs 1\nprint(f"{{1 / (1 + miss):.3f}}")',
        worked=f"{1 / (1 + miss):.3f}",
        because="say yes as soon as p · miss ≥ (1 - p) · 1, so from 1/(1 + miss) on.",
        mistakes=[
            Mistake("0.500", "takes the usual threshold, whatever the costs"),
            Mistake(
                f"{miss / (1 + miss):.3f}",
                "has the costs the wrong way round",
                instead=[("1 / (1 + miss)", "miss / (1 + miss)")],
            ),
            Mistake(f"{1 / miss:.3f}", "forgets the false alarm's own cost", instead=[("1 / (1 + miss)", "1 / miss")]),
            Mistake(
                f"{1 - 1 / miss:.3f}",
                "becomes more careful where it should become bolder",
                instead=[("1 / (1 + miss)", "1 - 1 / miss")],
            ),
        ],
        card_id="choosing-a-threshold",
    )


GENERATORS = (
    Generator("rows-of-a-join", "data-at-scale", "joins-multiply-rows", rows_of_a_join),
    Generator("value-known-then", "data-at-scale", "point-in-time", value_known_then),
    Generator("mean-of-groups", "data-at-scale", "group-by", mean_of_groups),
    Generator("chance-to-be-sampled", "data-at-scale", "sampling-a-stream", chance_to_be_sampled),
    Generator("bytes-of-a-column", "data-at-scale", "columnar-files", bytes_of_a_column),
    Generator("layers-run-again", "projects", "dockerfile", layers_run_again),
    Generator("newest-allowed", "projects", "locked-requirements", newest_allowed),
    Generator("majority-baseline", "worked-study", "baseline-first", majority_baseline),
    Generator("residual-block-parameters", "worked-study", "resnet-for-small-pictures", residual_block_parameters),
    Generator("paired-difference", "worked-study", "comparing-two-models", paired_difference),
    Generator("workers-needed", "data-loading", "is-the-loader-the-bottleneck", workers_needed),
    Generator("cost-of-a-threshold", "evaluation", "choosing-a-threshold", cost_of_a_threshold),
)
