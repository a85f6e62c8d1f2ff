"""More questions on networks, generation, sound and memory."""

from __future__ import annotations

import random

from engine.teach.questions.question import Draft, Generator, Mistake


def separable_ratio(rng: random.Random) -> Draft:
    c_in, c_out, k = rng.choice((16, 32, 64)), rng.choice((32, 64, 128)), rng.choice((3, 5))
    worked = c_in * k * k + c_in * c_out
    full = c_in * c_out * k * k
    return Draft(
        text="How many weights does this depthwise separable convolution have?",
        code=(
            "from torch import nn\n\nnet = nn.Sequential(\n"
            f"    nn.Conv2d({c_in}, {c_in}, {k}, groups={c_in}, bias=False),\n"
            f"    nn.Conv2d({c_in}, {c_out}, 1, bias=False),\n)\n"
            "print(sum(p.numel() for p in net.parameters()))"
        ),
        worked=str(worked),
        because=f"{c_in}·{k}·{k} for one filter per channel, {c_in}·{c_out} to mix them.",
        mistakes=[
            Mistake(
                str(full),
                "counts a full convolution",
                instead=[
                    (f"nn.Conv2d({c_in}, {c_in}, {k}, groups={c_in}, bias=False)", "nn.Identity()"),
                    (f"nn.Conv2d({c_in}, {c_out}, 1,", f"nn.Conv2d({c_in}, {c_out}, {k},"),
                ],
            ),
            Mistake(
                str(c_in * c_in * k * k + c_in * c_out), "overlooks the groups", instead=[(f"groups={c_in}, ", "")]
            ),
            Mistake(
                str(c_in * k * k),
                "forgets the pointwise convolution",
                instead=[(f"nn.Conv2d({c_in}, {c_out}, 1, bias=False)", "nn.Identity()")],
            ),
            Mistake(str(worked + c_in + c_out), "counts biases that are switched off", instead=[(", bias=False", "")]),
        ],
    )


def channels_of_a_skip(rng: random.Random) -> Draft:
    up, skip, out = rng.sample((16, 24, 32, 48, 64), 3)
    return Draft(
        text="A U-Net joins the map from below with the encoder's map. What shape does the next convolution's "
        "weight have?",
        code=(
            f"import torch\nfrom torch import nn\n\nbelow, skip = torch.zeros(1, {up}, 16, 16), "
            f"torch.zeros(1, {skip}, 16, 16)\n"
            "joined = torch.cat([below, skip], dim=1)\n"
            f"print(tuple(nn.Conv2d(joined.shape[1], {out}, 3).weight.shape))"
        ),
        worked=str((out, up + skip, 3, 3)),
        because=f"the channels are concatenated, {up} + {skip}; a weight is (out, in, k, k).",
        mistakes=[
            Mistake(str((up + skip, out, 3, 3)), "has in before out"),
            Mistake(
                str((out, up, 3, 3)),
                "forgets the encoder's map",
                instead=[("joined.shape[1]", "below.shape[1]")],
            ),
            Mistake(
                str((out, skip, 3, 3)), "forgets the map from below", instead=[("joined.shape[1]", "skip.shape[1]")]
            ),
            Mistake(str((out, up + skip, 16, 16)), "mistakes the picture's size for the kernel's"),
        ],
    )


def normalised_row(rng: random.Random) -> Draft:
    centre, spread = rng.randint(-4, 9), rng.choice((1, 2, 3))
    other = rng.choice((20, 30))
    x = [float(centre - spread), float(centre + spread)]
    return Draft(
        text="Layer norm without scale and shift. What does this print?",
        code=(
            f"import torch\nfrom torch import nn\n\nx = torch.tensor([{x}, [0.0, {float(other)}]])\n"
            'y = nn.LayerNorm(2, elementwise_affine=False)(x)\nprint([f"{v:.2f}" for v in y[0].tolist()])'
        ),
        worked="['-1.00', '1.00']",
        because=f"each row by itself: mean {centre}, deviation {spread}, so the two are -1 and 1; the "
        f"other row doesn't matter.",
        mistakes=[
            Mistake(
                f"['{float(-spread):.2f}', '{float(spread):.2f}']",
                "subtracts the mean without dividing",
                holds=spread > 1,
            ),
            Mistake(
                f"['{(x[0] > 0) - (x[0] < 0):.2f}', '{(x[1] > other) - (x[1] < other):.2f}']",
                "normalises over the batch, as batch norm does",
                instead=[("nn.LayerNorm(2, elementwise_affine=False)", "nn.BatchNorm1d(2, affine=False)")],
            ),
            Mistake(
                "['-0.71', '0.71']",
                "divides by the deviation with n - 1",
                instead=[
                    (
                        "nn.LayerNorm(2, elementwise_affine=False)(x)",
                        "(x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)",
                    )
                ],
            ),
            Mistake("['0.00', '1.00']", "scales to 0 and 1"),
            Mistake(f"['{x[0]:.2f}', '{x[1]:.2f}']", "assumes that a fresh layer does nothing"),
        ],
        card_id="layer-normalisation",
    )


def cache_size(rng: random.Random) -> Draft:
    layers, width, tokens = rng.choice((4, 12, 24)), rng.choice((256, 512, 768)), rng.choice((100, 512, 1000))
    count = 2 * layers * width * tokens
    return Draft(
        text="A transformer keeps keys and values of all tokens in float16. How many bytes does the cache take?",
        code=(
            f"import torch\n\nlayers, width, tokens = {layers}, {width}, {tokens}\n"
            'cache = torch.empty(2, layers, tokens, width, dtype=torch.float16, device="meta")  # keys '
            "and values\nprint(cache.nbytes)"
        ),
        worked=str(2 * count),
        because=f"2 (keys, values) · {layers} · {width} · {tokens} numbers of 2 bytes.",
        mistakes=[
            Mistake(str(count), "counts numbers instead of bytes", instead=[("cache.nbytes", "cache.numel()")]),
            Mistake(str(count), "forgets the values", instead=[("torch.empty(2,", "torch.empty(1,")]),
            Mistake(str(4 * count), "assumes that a float16 has 4 bytes", instead=[("float16", "float32")]),
            Mistake(str(2 * count // layers), "counts one layer only", instead=[("layers, tokens", "1, tokens")]),
            Mistake(
                str(4 * layers * tokens * tokens),
                "stores the scores instead",
                instead=[("tokens, width", "tokens, tokens")],
            ),
        ],
    )


def better_sequence(rng: random.Random) -> Draft:
    greedy = other = 0.0
    while abs(greedy - other) < 0.005:  # one of them is to be the best
        p = rng.choice((0.55, 0.6, 0.65, 0.7))
        a, b = rng.choice((0.3, 0.4, 0.5)), rng.choice((0.95, 0.9, 0.8, 0.7))
        greedy, other = p * a, (1 - p) * b
    best = max(greedy, other)
    return Draft(
        text="Two tokens are generated. How probable is the best sequence that a beam of 2 finds?",
        code=(
            f'first = {{"a": {p}, "b": {round(1 - p, 2)}}}\nnext_best = {{"a": {a}, "b": {b}}}  # the '
            f"likeliest second token after each\n"
            'print(f"{max(first[t] * next_best[t] for t in first):.3f}")'
        ),
        worked=f"{best:.3f}",
        because=f"a beam of 2 keeps both beginnings: {p}·{a} = {greedy:.3f} and {1 - p:.2f}·{b} = {other:.3f}.",
        mistakes=[
            Mistake(
                f"{greedy:.3f}",
                "goes on with the likeliest first token only, as greedy decoding does",
                instead=[("for t in first)", "for t in list(first)[:1])")],
            ),
            Mistake(f"{p:.3f}", "forgets the second token", instead=[("first[t] * next_best[t]", "first[t]")]),
            Mistake(
                f"{max(a, b):.3f}", "forgets the first token", instead=[("first[t] * next_best[t]", "next_best[t]")]
            ),
            Mistake(f"{greedy + other:.3f}", "adds the sequences up", instead=[("max(", "sum(")]),
            Mistake(f"{other if best == greedy else p * b:.3f}", "pairs the wrong tokens", holds=best != greedy),
        ],
        card_id="beam-search",
    )


def recording_bytes(rng: random.Random) -> Draft:
    rate, seconds, channels = rng.choice((8000, 16_000, 44_100)), rng.choice((1, 2, 5, 10)), rng.choice((1, 2))
    samples = rate * seconds * channels
    return Draft(
        text=f"{seconds} s of {'stereo' if channels == 2 else 'mono'} at {rate} Hz in 16 bit. How many bytes?",
        code=f"import torch\n\nx = torch.zeros({channels}, {rate} * {seconds}, dtype=torch.int16)\nprint(x.nbytes)",
        worked=str(2 * samples),
        because=f"{channels} · {rate} · {seconds} samples of 2 bytes.",
        mistakes=[
            Mistake(str(samples), "counts samples instead of bytes", instead=[("x.nbytes", "x.numel()")]),
            Mistake(str(16 * samples), "counts bits", instead=[("x.nbytes", "x.nbytes * 8")]),
            Mistake(str(4 * samples), "takes float32", instead=[("int16", "float32")]),
            Mistake(
                str(samples // channels * 2), "forgets the second channel", instead=[(f"zeros({channels},", "zeros(1,")]
            ),
            Mistake(str(2 * rate * channels), "counts one second only", instead=[(f" * {seconds},", ",")]),
        ],
    )


def sharded_memory(rng: random.Random) -> Draft:
    n, gpus = rng.choice((100, 125, 350, 1500)), rng.choice((2, 4, 8))
    sharded = rng.random() < 0.5
    total = 16 * n
    return Draft(
        text=f"{n} million parameters, Adam in float32, {gpus} GPUs with {'FSDP' if sharded else 'DDP'}. "
        f"How many MB per GPU, without activations?",
        code=(
            f"millions, gpus, sharded = {n}, {gpus}, {sharded}\nbytes_per_parameter = 4 + 4 + 8  # "
            f"weight, gradient, moments\n"
            'print(f"{millions * bytes_per_parameter / (gpus if sharded else 1):.0f}")'
        ),
        worked=f"{total / (gpus if sharded else 1):.0f}",
        because=f"16 bytes per parameter, {total} MB; "
        + (f"FSDP cuts them into {gpus} shards." if sharded else "DDP keeps a whole copy on every GPU."),
        mistakes=[
            Mistake(
                f"{total:.0f}",
                "keeps a whole copy, as DDP does",
                instead=[(f", {sharded}\n", ", False\n")],
                holds=sharded,
            ),
            Mistake(
                f"{total / gpus:.0f}",
                "cuts into shards, as FSDP does",
                instead=[(f", {sharded}\n", ", True\n")],
                holds=not sharded,
            ),
            Mistake(f"{4 * n / (gpus if sharded else 1):.0f}", "counts the weights only", instead=[("4 + 4 + 8", "4")]),
            Mistake(
                f"{8 * n / (gpus if sharded else 1):.0f}", "forgets Adam's moments", instead=[("4 + 4 + 8", "4 + 4")]
            ),
            Mistake(f"{total * gpus:.0f}", "adds the GPUs up", instead=[("/ (gpus if sharded else 1)", "* gpus")]),
        ],
        card_id="sharded-training",
    )


def blended_style(rng: random.Random) -> Draft:
    content, style = rng.sample((1.0, 2.0, 4.0, 6.0, 8.0, 10.0), 2)
    strength = rng.choice((0.25, 0.5, 0.75))
    value = (1 - strength) * content + strength * style
    return Draft(
        text=f"A channel's mean in the photo's features and after AdaIN, blended at strength {strength}. "
        f"What does this print?",
        code=(
            f"import torch\n\nphoto, stylised = torch.tensor({content}), torch.tensor({style})\n"
            f"print(torch.lerp(photo, stylised, {strength}).item())"
        ),
        worked=str(value),
        because=f"(1 - {strength})·{content:g} + {strength}·{style:g}: strength 0 is the photo, 1 the full style.",
        mistakes=[
            Mistake(
                str(strength * content + (1 - strength) * style),
                "has photo and style the wrong way round",
                instead=[("photo, stylised,", "stylised, photo,")],
                holds=strength != 0.5,
            ),
            Mistake(
                str(content + strength * style),
                "adds the style on top",
                instead=[(f"torch.lerp(photo, stylised, {strength})", f"(photo + {strength} * stylised)")],
            ),
            Mistake(
                str(strength * style),
                "forgets the photo's share",
                instead=[(f"torch.lerp(photo, stylised, {strength})", f"({strength} * stylised)")],
            ),
            Mistake(str(style), "applies the full style", instead=[(f", {strength})", ", 1.0)")]),
        ],
    )


GENERATORS = (
    Generator("separable-weights", "convolutions", "depthwise-separable", separable_ratio),
    Generator("channels-of-a-skip", "cnns", "u-net", channels_of_a_skip),
    Generator("normalised-row", "normalisation", "layer-normalisation", normalised_row),
    Generator("cache-size", "sequence-models", "key-value-cache", cache_size),
    Generator("better-sequence", "sequence-models", "beam-search", better_sequence),
    Generator("recording-bytes", "media-data", "audio-as-tensor", recording_bytes),
    Generator("sharded-memory", "gpu", "sharded-training", sharded_memory),
    Generator("blended-style", "style-transfer", "adain", blended_style),
)
