"""Questions on data loading, GPU use and the training loop."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, count_of


def batch_count(rng: random.Random) -> Draft:
    n, batch, drop = rng.randint(20, 1000), rng.choice((8, 16, 32, 64)), rng.random() < 0.5
    full, rest = divmod(n, batch)
    return Draft(
        text="How many batches are there in an epoch?",
        code=(
            "from torch.utils.data import DataLoader\n\n"
            f"loader = DataLoader(range({n}), batch_size={batch}{', drop_last=True' if drop else ''})\n"
            "print(len(loader))"
        ),
        worked=str(full if drop or rest == 0 else full + 1),
        because=f"{n} = {full}·{batch} + {rest}; "
        + (f"the incomplete batch is {'dropped' if drop else 'kept'}." if rest else "no batch is incomplete."),
        mistakes=[
            Mistake(str(full), "drops the incomplete batch, which only drop_last=True does"),
            Mistake(
                str(full + 1), "keeps the incomplete batch" if rest else "expects one more batch for no rest at all"
            ),
            Mistake(str(n), "counts examples"),
            Mistake(str(batch), "mistakes the batch size for the number of batches"),
            Mistake(str(n * batch), "multiplies where it should divide"),
        ],
    )


def last_batch_shape(rng: random.Random) -> Draft:
    n, batch = rng.randint(20, 200), rng.choice((8, 16, 32))
    size = rng.choice((8, 16, 28))
    rest = n % batch or batch
    full = n // batch
    return Draft(
        text="What shape does the last batch have?",
        code=(
            "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n\n"
            f"data = TensorDataset(torch.zeros({n}, 1, {size}, {size}))\n"
            f"*_, (last,) = DataLoader(data, batch_size={batch})\nprint(tuple(last.shape))"
        ),
        worked=str((rest, 1, size, size)),
        because=f"{n} examples in batches of {batch} leave {rest} for the last one; drop_last is off by default.",
        mistakes=[
            Mistake(str((batch, 1, size, size)), "assumes that every batch is full"),
            Mistake(str((rest, size, size)), "drops the channel dimension"),
            Mistake(str((full, 1, size, size)), "gives the number of full batches"),
            Mistake(str((batch - rest, 1, size, size)), "gives what is missing to a full batch", holds=rest < batch),
            Mistake(str((1, 1, size, size)), "expects one example"),
        ],
    )


def padded_batch_shape(rng: random.Random) -> Draft:
    lengths = rng.sample(range(2, 13), rng.randint(3, 5))
    width = rng.choice((4, 8))
    n, longest = len(lengths), max(lengths)
    return Draft(
        text="Sequences of different lengths make a batch. What does this print?",
        code=(
            "import torch\nfrom torch.nn.utils.rnn import pad_sequence\n\n"
            f"sequences = [torch.zeros(n, {width}) for n in {lengths}]\n"
            "print(tuple(pad_sequence(sequences, batch_first=True).shape))"
        ),
        worked=str((n, longest, width)),
        because=f"{n} sequences, all padded with zeros to the longest, {longest} steps of {width} features.",
        mistakes=[
            Mistake(str((longest, n, width)), "overlooks batch_first"),
            Mistake(str((n, min(lengths), width)), "cuts to the shortest instead of padding to the longest"),
            Mistake(str((sum(lengths), width)), "concatenates"),
            Mistake(str((n, sum(lengths), width)), "adds the lengths up"),
            Mistake(str((n, longest)), "forgets the features"),
        ],
    )


def samples_of_a_rank(rng: random.Random) -> Draft:
    n, ranks = rng.randint(50, 500), rng.choice((2, 3, 4, 8))
    share = math.ceil(n / ranks)
    return Draft(
        text="Data parallel training: how many examples does each process get in an epoch?",
        code=(
            "from torch.utils.data import DistributedSampler\n\n"
            f"sampler = DistributedSampler(range({n}), num_replicas={ranks}, rank=0)\nprint(len(sampler))"
        ),
        worked=str(share),
        because=(
            f"{n}/{ranks} comes out even, so every process gets its own {share}."
            if n % ranks == 0
            else f"⌈{n}/{ranks}⌉: the sampler hands out {count_of(share * ranks - n, 'example')} twice, so that all "
            "processes make the same number of steps."
        ),
        mistakes=[
            Mistake(str(n), "assumes that every process sees all the data"),
            Mistake(str(n // ranks), "drops the rest, as drop_last=True would"),
            Mistake(str(share + 1), "adds an example although the division comes out even", holds=n % ranks == 0),
            Mistake(str(n * ranks), "assumes that the data is multiplied by the number of processes"),
            Mistake(str(ranks), "mistakes the number of processes for the number of examples"),
        ],
    )


def adam_memory(rng: random.Random) -> Draft:
    n, m = rng.choice((10, 20, 30, 50, 100)), rng.choice((2, 10, 25, 30, 40))
    count = n * m + m
    return Draft(
        text="How many bytes do weights, gradients and Adam's moments take after one step?",
        code=(
            "import torch\nfrom torch import nn\n\n"
            f"net = nn.Linear({n}, {m})\noptimizer = torch.optim.Adam(net.parameters())\n"
            f"net(torch.zeros(1, {n})).sum().backward()\noptimizer.step()\n"
            "kept = [t for p in net.parameters() for t in (p, p.grad, *optimizer.state[p].values()) if t.ndim]\n"
            "print(sum(t.nbytes for t in kept))"
        ),
        worked=str(16 * count),
        because=f"{count} parameters, each with 4 bytes of weight, 4 of gradient and 2 x 4 of moments: 16 bytes.",
        mistakes=[
            Mistake(str(4 * count), "counts the weights only"),
            Mistake(str(8 * count), "forgets Adam's moments"),
            Mistake(str(12 * count), "counts one moment instead of two"),
            Mistake(str(16 * n * m), "forgets the biases"),
            Mistake(str(32 * count), "assumes that the numbers are float64"),
        ],
    )


def autocast_dtype(rng: random.Random) -> Draft:
    expression, half, rule = rng.choice(
        (
            ("layer(x)", True, "a linear layer runs in 16 bit under autocast"),
            ("layer.weight", False, "autocast leaves the weights in float32 and casts copies of them"),
            ("x", False, "autocast doesn't touch a tensor that no operation was applied to"),
            ("x @ x.T", True, "matrix products run in 16 bit under autocast"),
            ("nn.functional.mse_loss(layer(x), x)", False, "losses are computed in float32"),
            ("x + 1", False, "elementwise operations keep their input's dtype, here float32"),
            ("layer(x) + x", False, "16 bit and float32 promote to float32"),
            ("layer(x).relu()", True, "an elementwise operation keeps the 16 bit of its input"),
        )
    )
    n = rng.choice((4, 8, 16))
    return Draft(
        text="Which dtype does this have under autocast?",
        code=(
            f"import torch\nfrom torch import nn\n\nlayer, x = nn.Linear({n}, {n}), torch.randn({n}, {n})\n"
            f'with torch.autocast("cpu", dtype=torch.bfloat16):\n    print(({expression}).dtype)'
        ),
        worked="torch.bfloat16" if half else "torch.float32",
        because=f"{rule}.",
        mistakes=[
            Mistake("torch.bfloat16", "assumes that autocast turns everything into 16 bit"),
            Mistake("torch.float32", "assumes that results stay in float32"),
            Mistake("torch.float16", "takes the 16 bit type to be float16, though bfloat16 was asked for"),
            Mistake("torch.float64", "expects more precision than float32"),
        ],
    )


def optimiser_steps(rng: random.Random) -> Draft:
    n, batch, epochs = rng.choice((250, 300, 500, 750, 1000)), rng.choice((16, 32, 64)), rng.randint(2, 5)
    accumulate = rng.choice((1, 1, 2, 4))
    batches = math.ceil(n / batch)
    steps = epochs * (batches // accumulate)
    body = (
        "        steps += 1  # optimizer.step()\n"
        if accumulate == 1
        else f"        if (i + 1) % {accumulate} == 0:\n            steps += 1  # optimizer.step()\n"
    )
    return Draft(
        text="How many optimiser steps does this loop make?",
        code=(
            "from torch.utils.data import DataLoader\n\nsteps = 0\n"
            f"for epoch in range({epochs}):\n"
            f"    for i, batch in enumerate(DataLoader(range({n}), batch_size={batch})):\n"
            f"{body}print(steps)"
        ),
        worked=str(steps),
        because=f"an epoch has ⌈{n}/{batch}⌉ = {batches} batches"
        + (
            f", a step comes after every {accumulate}, so {count_of(batches // accumulate, 'step')}"
            if accumulate > 1
            else ", one step each"
        )
        + f"; {epochs} epochs.",
        mistakes=[
            Mistake(str(epochs * batches), "makes a step after every batch"),
            Mistake(str(epochs), "makes one step per epoch"),
            Mistake(str(epochs * (n // batch // accumulate)), "drops the last, incomplete batch"),
            Mistake(str(batches // accumulate), "counts one epoch only"),
            Mistake(str(epochs * n), "makes a step for every example"),
            Mistake(
                str(epochs * math.ceil(batches / accumulate)), "makes a step for the batches left over at the end too"
            ),
        ],
    )


def state_dict_size(rng: random.Random) -> Draft:
    a, b = rng.choice((4, 8)), rng.choice((2, 3, 5))
    norm, bias = rng.random() < 0.6, rng.random() < 0.7
    middle = f"nn.BatchNorm1d({a}), " if norm else ""
    parameters = 2 + (2 if norm else 0) + (2 if bias else 1)
    buffers = 3 if norm else 0
    return Draft(
        text="How many entries does this network's state_dict have?",
        code=(
            "from torch import nn\n\n"
            f"net = nn.Sequential(nn.Linear({b}, {a}), {middle}nn.ReLU(), nn.Linear({a}, "
            f"{b}{'' if bias else ', bias=False'}))\n"
            "print(len(net.state_dict()))"
        ),
        worked=str(parameters + buffers),
        because=f"{parameters} parameters (weights and biases)"
        + (
            " and batch norm's 3 buffers: running mean, running variance, number of batches."
            if norm
            else "; no buffers."
        ),
        mistakes=[
            Mistake(str(parameters), "forgets the buffers"),
            Mistake(
                str(parameters + 2),
                "forgets the number of batches"
                if norm
                else "counts a running mean and variance that no layer here has",
            ),
            Mistake(str(4 if norm else 3), "counts modules"),
            Mistake(str(2), "counts the linear layers only, without their biases"),
            Mistake(str(parameters + buffers + 1), "gives the ReLU an entry"),
        ],
    )


def seeded_draws(rng: random.Random) -> Draft:
    seed, other = rng.sample(range(100), 2)
    lines, worked, rule = rng.choice(
        (
            (
                f"a = draw({seed})\nb = draw({seed})\nc = draw({other})\nprint(torch.equal(a, b), torch.equal(a, c))",
                "True False",
                "each call makes its own generator: equal seeds give equal numbers, different ones don't",
            ),
            (
                f"g = torch.Generator().manual_seed({seed})\n"
                "a, b = torch.rand(3, generator=g), torch.rand(3, generator=g)\n"
                f"print(torch.equal(a, b), torch.equal(a, draw({seed})))",
                "False True",
                "a generator goes on where it stopped, so b is new; a repeats with the seed",
            ),
            (
                f"torch.manual_seed({seed})\na = torch.rand(3)\ntorch.manual_seed({seed})\nb = torch.rand(3)\n"
                "c = torch.rand(3)\nprint(torch.equal(a, b), torch.equal(b, c))",
                "True False",
                "seeding again starts the same sequence again; without it the sequence goes on",
            ),
            (
                f"torch.manual_seed({seed})\na = torch.rand(3)\ntorch.manual_seed({seed})\ntorch.rand(1)\n"
                "b = torch.rand(3)\n"
                f"print(torch.equal(a, b), torch.equal(draw({seed}), draw({seed})))",
                "False True",
                "one number drawn in between moves the global sequence on; a generator of one's own isn't disturbed",
            ),
        )
    )
    return Draft(
        text="What does this print?",
        code="import torch\n\n"
        + (
            "def draw(seed):\n    return torch.rand(3, generator=torch.Generator().manual_seed(seed))\n\n"
            if "draw(" in lines
            else ""
        )
        + lines,
        worked=worked,
        because=f"{rule}.",
        mistakes=[
            Mistake("True True", "assumes that seeding makes every draw the same"),
            Mistake("False False", "assumes that two draws are never the same"),
            Mistake("True False", "expects the first pair to repeat and the second not to"),
            Mistake("False True", "expects the second pair to repeat and the first not to"),
        ],
    )


GENERATORS = (
    Generator("batch-count", "data-loading", "dataloader", batch_count),
    Generator("last-batch-shape", "data-loading", "dataloader", last_batch_shape),
    Generator("padded-batch-shape", "data-loading", "collate", padded_batch_shape),
    Generator("samples-of-a-rank", "gpu", "distributed-data-parallel", samples_of_a_rank),
    Generator("adam-memory", "gpu", "gpu-memory", adam_memory),
    Generator("autocast-dtype", "gpu", "automatic-mixed-precision", autocast_dtype),
    Generator("optimiser-steps", "training", "training-loop", optimiser_steps),
    Generator("state-dict-size", "training", "saving-and-loading", state_dict_size),
    Generator("seeded-draws", "training", "reproducibility", seeded_draws),
)
