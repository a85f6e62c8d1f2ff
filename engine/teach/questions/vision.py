"""Questions on convolutions, CNNs, normalisation and style transfer."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, bracketed


def conv_output_shape(rng: random.Random) -> Draft:
    size, k = rng.choice((16, 28, 32, 64)), rng.choice((3, 5, 7))
    stride, padding, dilation = rng.choice((1, 2, 3)), rng.choice((0, 1, 2)), rng.choice((1, 1, 2))
    channels, out = rng.choice((1, 3)), rng.choice((8, 16))

    def length(padding: int = padding, stride: int = stride, dilation: int = dilation) -> int:
        return (size + 2 * padding - dilation * (k - 1) - 1) // stride + 1

    def shape(n: int, c: int = out) -> str:
        return str((1, c, n, n))

    one_side = (size + padding - dilation * (k - 1) - 1) // stride + 1
    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch import nn\n\n"
            f"conv = nn.Conv2d({channels}, {out}, {k}, stride={stride}, padding={padding}, dilation={dilation})\n"
            f"print(tuple(conv(torch.zeros(1, {channels}, {size}, {size})).shape))"
        ),
        worked=shape(length()),
        because=f"⌊({size} + 2·{padding} - {dilation}·({k} - 1) - 1)/{stride}⌋ + 1 = {length()}, with {out} channels "
        "out.",
        mistakes=[
            Mistake(shape(one_side), "counts the padding on one side only"),
            Mistake(shape(length(dilation=1)), "overlooks that dilation widens the kernel"),
            Mistake(shape(length() - 1), "forgets the + 1: the first position counts too"),
            Mistake(shape(length(stride=1)), "overlooks the stride"),
            Mistake(shape(length(), channels), "keeps the number of input channels"),
            Mistake(shape(size // stride), "divides the size by the stride, as if the padding made up for the kernel"),
        ],
    )


def conv_parameters(rng: random.Random) -> Draft:
    groups = rng.choice((1, 1, 2, 4))
    c_in, c_out, k = rng.choice((8, 16, 32)), rng.choice((16, 32, 64)), rng.choice((1, 3, 5))
    bias = rng.random() < 0.7
    weights = c_out * (c_in // groups) * k * k
    extra = (f", groups={groups}" if groups > 1 else "") + ("" if bias else ", bias=False")
    return Draft(
        text="How many parameters does this layer have?",
        code=(
            f"from torch import nn\n\nconv = nn.Conv2d({c_in}, {c_out}, kernel_size={k}{extra})\n"
            "print(sum(p.numel() for p in conv.parameters()))"
        ),
        worked=str(weights + (c_out if bias else 0)),
        because=f"{c_out} filters of {c_in // groups}·{k}·{k} weights"
        + (f", and {c_out} biases." if bias else ", without biases."),
        mistakes=[
            Mistake(str(weights), "forgets the biases"),
            Mistake(str(weights + c_out), "counts biases that are switched off"),
            Mistake(str(c_out * c_in * k * k + (c_out if bias else 0)), "overlooks the groups"),
            Mistake(
                str(c_out * k * k + (c_out if bias else 0)),
                "forgets that a filter spans "
                + ("all input channels" if groups == 1 else f"the {c_in // groups} input channels of its group"),
            ),
            Mistake(str(c_out * (c_in // groups) * k + (c_out if bias else 0)), "treats the kernel as one-dimensional"),
            *([Mistake(str(weights + c_in), "counts a bias per input channel")] if bias else []),
        ],
    )


def conv_macs(rng: random.Random) -> Draft:
    c_in, c_out, k = rng.choice((3, 8, 16)), rng.choice((8, 16, 32)), rng.choice((1, 3, 5))
    size, stride = rng.choice((16, 32, 64)), rng.choice((1, 2))
    out = (size + 2 * (k // 2) - k) // stride + 1
    macs = out * out * c_out * c_in * k * k
    return Draft(
        text="How many multiply-accumulates does this layer need for one picture?",
        code=(
            "import torch\nfrom torch import nn\nfrom torch.utils.flop_counter import FlopCounterMode\n\n"
            f"conv = nn.Conv2d({c_in}, {c_out}, {k}, stride={stride}, padding={k // 2}, bias=False)\n"
            "with FlopCounterMode(display=False) as counter:\n"
            f"    conv(torch.zeros(1, {c_in}, {size}, {size}))\nprint(counter.get_total_flops() // 2)"
        ),
        worked=str(macs),
        because=f"each of {out}·{out}·{c_out} outputs is a dot product of {c_in}·{k}·{k} terms.",
        mistakes=[
            Mistake(str(2 * macs), "counts FLOPs: a multiply-accumulate is two of them"),
            Mistake(str(c_out * c_in * k * k), "counts parameters: each is used at every position"),
            Mistake(
                str(size * size * c_out * c_in * k * k), "counts the input's positions although the stride skips some"
            ),
            Mistake(str(out * out * c_out * k * k), "forgets to sum over the input channels"),
            Mistake(str(out * out * c_in * k * k), "computes one output channel only"),
        ],
    )


def receptive_field(rng: random.Random) -> Draft:
    layers = [(rng.choice((3, 3, 5)), rng.choice((1, 1, 2)), rng.choice((1, 1, 2))) for _ in range(rng.choice((2, 3)))]
    added, jump = [], 1
    for k, stride, dilation in layers:
        added.append((k - 1) * dilation * jump)
        jump *= stride
    field = 1 + sum(added)
    no_stride = 1 + sum((k - 1) * d for k, _, d in layers)
    no_dilation, jump, own = 1, 1, 1
    for k, stride, dilation in layers:
        no_dilation += (k - 1) * jump
        jump *= stride
        own += (k - 1) * dilation * jump
    body = "".join(f"    nn.Conv1d(1, 1, {k}, stride={s}, dilation={d}),\n" for k, s, d in layers)
    return Draft(
        text="How far does one output see: from the first to the last input that it depends on?",
        code=(
            f"import torch\nfrom torch import nn\n\nnet = nn.Sequential(\n{body})\n"
            "for p in net.parameters():\n    nn.init.ones_(p)\nx = torch.zeros(1, 1, 200, requires_grad=True)\n"
            "net(x)[0, 0, 5].backward()\nused = x.grad.flatten().nonzero()\n"
            "print(int(used.max() - used.min() + 1))"
        ),
        worked=str(field),
        because=(
            "start at 1; each layer adds (k - 1) · dilation · (product of the strides before it): "
            f"1 + {' + '.join(map(str, added))} = {field}."
        ),
        mistakes=[
            Mistake(str(no_stride), "overlooks that a stride makes all later layers reach further"),
            Mistake(str(no_dilation), "overlooks the dilation"),
            Mistake(str(own), "counts a layer's own stride already for that layer"),
            Mistake(str(sum(k for k, _, _ in layers)), "adds up the kernel sizes: neighbours overlap"),
            Mistake(str(math.prod(k for k, _, _ in layers)), "multiplies the kernel sizes"),
            Mistake(str(field - 1), "forgets the position itself"),
        ],
    )


def transposed_conv_size(rng: random.Random) -> Draft:
    n, k, stride, padding = (
        rng.choice((4, 7, 8, 16)),
        rng.choice((2, 3, 4, 5)),
        rng.choice((2, 2, 3)),
        rng.choice((0, 1)),
    )
    extra = rng.choice((0, 1))
    size = (n - 1) * stride - 2 * padding + k + extra

    def shape(length: int) -> str:
        return str((1, 4, length, length))

    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch import nn\n\n"
            f"up = nn.ConvTranspose2d(8, 4, {k}, stride={stride}, padding={padding}, output_padding={extra})\n"
            f"print(tuple(up(torch.zeros(1, 8, {n}, {n})).shape))"
        ),
        worked=shape(size),
        because=f"({n} - 1)·{stride} - 2·{padding} + {k} + {extra} = {size}: here padding takes away and "
        "output_padding adds.",
        mistakes=[
            Mistake(shape(n * stride), "multiplies the size by the stride, whatever kernel and padding"),
            Mistake(
                shape((n + 2 * padding - k) // stride + 1),
                "uses the formula of the ordinary convolution",
                holds=n + 2 * padding >= k,
            ),
            Mistake(shape((n - 1) * stride + 2 * padding + k + extra), "adds the padding instead of taking it away"),
            Mistake(shape(size - extra), "overlooks output_padding"),
            Mistake(shape(n * stride - 2 * padding + k + extra), "has n instead of n - 1 gaps between n inputs"),
        ],
    )


def flatten_features(rng: random.Random) -> Draft:
    size, channels = rng.choice((24, 28, 32, 48, 64)), rng.choice((4, 6, 8, 12, 16))
    second, padding = 2 * channels, rng.choice((0, 1))
    after = size
    for _ in range(2):
        after = (after + 2 * padding - 2) // 2
    without_pool = size + 2 * (2 * padding - 2)
    return Draft(
        text="How many in_features does a linear layer need after this body?",
        code=(
            "import torch\nfrom torch import nn\n\nbody = nn.Sequential(\n"
            f"    nn.Conv2d(3, {channels}, 3, padding={padding}), nn.ReLU(), nn.MaxPool2d(2),\n"
            f"    nn.Conv2d({channels}, {second}, 3, padding={padding}), nn.ReLU(), nn.MaxPool2d(2),\n"
            "    nn.Flatten(),\n)\n"
            f"print(body(torch.zeros(1, 3, {size}, {size})).shape[1])"
        ),
        worked=str(second * after * after),
        because=f"the last map is {second} channels of {after} x {after}.",
        mistakes=[
            Mistake(
                str(second * (size // 4) ** 2),
                "overlooks that a convolution without padding loses a pixel at each edge",
            ),
            Mistake(str(second * without_pool**2), "overlooks the pooling"),
            Mistake(str(second), "assumes that flattening leaves the channels only"),
            Mistake(str(after * after), "forgets the channels"),
            Mistake(str(channels * after * after), "takes the first block's channels"),
            Mistake(str(3 * size * size), "flattens the input picture"),
        ],
    )


def cnn_parameters(rng: random.Random) -> Draft:
    a, b, classes = rng.choice((4, 6, 8, 16)), rng.choice((10, 16, 20, 32)), rng.choice((2, 3, 5, 10))
    total = (3 * a * 9 + a) + 2 * a + (a * b * 9 + b) + (b * classes + classes)
    return Draft(
        text="How many learnt parameters does this CNN have?",
        code=(
            "from torch import nn\n\nnet = nn.Sequential(\n"
            f"    nn.Conv2d(3, {a}, 3), nn.BatchNorm2d({a}), nn.ReLU(), nn.MaxPool2d(2),\n"
            f"    nn.Conv2d({a}, {b}, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear({b}, {classes}),\n)\n"
            "print(sum(p.numel() for p in net.parameters()))"
        ),
        worked=str(total),
        because=(
            f"convolutions {3 * a * 9 + a} and {a * b * 9 + b}, batch norm {2 * a} (scale and shift), "
            f"linear {b * classes + classes}; the rest has none."
        ),
        mistakes=[
            Mistake(str(total - 2 * a), "forgets batch norm's scale and shift"),
            Mistake(str(total + 2 * a), "counts batch norm's running mean and variance, which are buffers"),
            Mistake(str(total - a - b - classes), "forgets the biases of the convolutions and of the linear layer"),
            Mistake(str(total - a * b * 9 + b * 9), "assumes that the second layer's filters are one channel deep"),
            Mistake(str(total + b), "gives the average pooling a weight per channel"),
        ],
    )


def running_mean(rng: random.Random) -> Draft:
    first, second = rng.sample(range(1, 10), 2)
    momentum = rng.choice((0.1, 0.2, 0.5))
    worked = (1 - momentum) * momentum * first + momentum * second
    return Draft(
        text="Batch norm's running mean after two batches. What does this print?",
        code=(
            f"import torch\nfrom torch import nn\n\nnorm = nn.BatchNorm1d(1, momentum={momentum})\n"
            f"for value in ({float(first)}, {float(second)}):\n    norm(torch.full((4, 1), value))\n"
            'print(f"{norm.running_mean.item():.3f}")'
        ),
        worked=f"{worked:.3f}",
        because=f"it starts at 0 and moves by r ← {1 - momentum:g} r + {momentum:g} · batch mean: "
        f"{momentum * first:.3g}, then {worked:.3g}.",
        mistakes=[
            Mistake(f"{(first + second) / 2:.3f}", "averages the batches with equal weight"),
            Mistake(
                f"{momentum * (1 - momentum) * first + (1 - momentum) * second:.3f}",
                "has the momentum on the old value, as optimisers do",
            ),
            Mistake(f"{float(second):.3f}", "keeps the last batch's mean only"),
            Mistake(
                f"{(1 - momentum) * first + momentum * second:.3f}", "starts at the first batch's mean instead of 0"
            ),
            Mistake("0.000", "assumes that the running mean changes in eval mode only"),
        ],
    )


def count_of_statistics(rng: random.Random) -> Draft:
    b, c, h = rng.choice((2, 4, 8)), rng.choice((6, 12)), rng.choice((5, 7))
    groups = rng.choice((2, 3))
    name, dims, count, rule = rng.choice(
        (
            ("batch norm", "x.mean(dim=(0, 2, 3))", c, "over B, H and W: one mean per channel"),
            ("instance norm", "x.mean(dim=(2, 3))", b * c, "over H and W: one mean per picture and channel"),
            ("layer norm over (C, H, W)", "x.mean(dim=(1, 2, 3))", b, "over C, H and W: one mean per picture"),
            (
                f"group norm with {groups} groups",
                f"x.reshape({b}, {groups}, -1).mean(dim=2)",
                b * groups,
                "over H, W and a group's channels: one mean per picture and group",
            ),
        )
    )
    return Draft(
        text=f"These are the means that {name} takes of a batch (B, C, H, W). How many are there?",
        code=f"import torch\n\nx = torch.randn({b}, {c}, {h}, {h})\nmeans = {dims}\nprint(means.numel())",
        worked=str(count),
        because=f"{name} averages {rule}; here B = {b}, C = {c}.",
        mistakes=[
            Mistake(str(c), "counts one per channel, as batch norm has"),
            Mistake(str(b * c), "counts one per picture and channel, as instance norm has"),
            Mistake(str(b), "counts one per picture, as layer norm has"),
            Mistake(str(b * groups), f"counts one per picture and group, as group norm with {groups} groups has"),
            Mistake("1", "takes one mean of everything"),
            Mistake(str(b * h * h), "counts one per picture and position"),
        ],
    )


def gram_entry(rng: random.Random) -> Draft:
    f = [[rng.randint(-2, 3) for _ in range(4)] for _ in range(2)]
    i, j = rng.choice(((0, 1), (0, 0), (1, 1)))
    product = sum(a * b for a, b in zip(f[i], f[j], strict=True))
    elementwise = f[i][0] * f[j][0]
    return Draft(
        text="Features of 2 channels at 4 positions. What does this print?",
        code=(
            f"import torch\n\nfeatures = torch.tensor({f})  # (C, H*W)\ngram = features @ features.T\n"
            f"print(gram[{i}, {j}].item())"
        ),
        worked=str(product),
        because=f"entry ({i}, {j}) is the dot product of channels {i} and {j} over all positions.",
        mistakes=[
            Mistake(str(sum(f[i]) * sum(f[j])), "multiplies the channels' sums instead of summing the products"),
            Mistake(str(elementwise), "looks at the first position only"),
            Mistake(str(f[0][i] * f[0][j] + f[1][i] * f[1][j]), "compares two positions over channels: Fᵀ F"),
            Mistake(str(sum(a + b for a, b in zip(f[i], f[j], strict=True))), "adds where it should multiply"),
            Mistake(
                str(sum(abs(a - b) for a, b in zip(f[i], f[j], strict=True))),
                "adds up the differences, as a distance does",
            ),
        ],
    )


def gram_shape(rng: random.Random) -> Draft:
    b, c, h, w = rng.choice((1, 2, 4)), rng.choice((16, 32, 64)), rng.choice((20, 24, 28)), rng.choice((30, 36, 40))
    return Draft(
        text="The Gram matrices of a batch of feature maps. What does this print?",
        code=(
            f"import torch\n\nfeatures = torch.zeros({b}, {c}, {h}, {w}).flatten(2)\n"
            "gram = features @ features.transpose(1, 2)\nprint(tuple(gram.shape))"
        ),
        worked=str((b, c, c)),
        because="positions are summed over: one C x C matrix per picture, whatever the picture's size.",
        mistakes=[
            Mistake(str((b, h * w, h * w)), "compares positions over channels: Fᵀ F"),
            Mistake(str((b, c, h * w)), "leaves the positions in"),
            Mistake(str((c, c)), "sums over the batch as well"),
            Mistake(str((b, c, h, h)), "multiplies rows of the map instead of the flattened map"),
            Mistake(str((b, c)), "takes one number per channel, as mean and variance are"),
        ],
    )


def adain_value(rng: random.Random) -> Draft:
    centre, spread = rng.choice((1, 2, 5)), rng.choice((1, 2, 3))
    mean, std = rng.choice((-1, 4, 10)), rng.choice((2, 4, 5))
    x = [float(centre - spread), float(centre + spread)] * 2
    y = [float(mean - std), float(mean + std)] * 2
    i = rng.choice((0, 1))
    sign = -1 if i == 0 else 1
    return Draft(
        text="AdaIN of one channel: content x, style y. What does this print?",
        code=(
            f"import torch\n\nx, y = torch.tensor({x}), torch.tensor({y})\n"
            "sx, sy = x.std(correction=0), y.std(correction=0)\nz = sy * (x - x.mean()) / sx + y.mean()\n"
            f"print(z[{i}].item())"
        ),
        worked=str(float(mean + sign * std)),
        because=(
            f"x has mean {centre} and deviation {spread}; normalised, x[{i}] is {sign}. "
            f"With y's deviation {std} and mean {mean}: {std}·{bracketed(sign)} + {bracketed(mean)}."
        ),
        mistakes=[
            Mistake(str(float(sign)), "stops after instance normalisation"),
            Mistake(str(float(centre + sign * std)), "keeps the content's mean"),
            Mistake(str(float(mean + sign * spread)), "keeps the content's deviation"),
            Mistake(str(float(mean + sign * std * spread)), "forgets to divide by the content's deviation"),
            Mistake(str(x[i]), "leaves the content as it was"),
            Mistake(str(float(mean - sign * std)), "has the sign of the normalised value reversed"),
        ],
    )


GENERATORS = (
    Generator("conv-output-shape", "convolutions", "convolution-output-size", conv_output_shape),
    Generator("conv-parameters", "convolutions", "convolution-parameters-and-macs", conv_parameters),
    Generator("conv-macs", "convolutions", "convolution-parameters-and-macs", conv_macs),
    Generator("receptive-field", "convolutions", "receptive-field", receptive_field),
    Generator("transposed-conv-size", "convolutions", "transposed-convolution", transposed_conv_size),
    Generator("flatten-features", "cnns", "cnn-architecture", flatten_features),
    Generator("cnn-parameters", "cnns", "cnn-architecture", cnn_parameters),
    Generator("running-mean", "normalisation", "batch-normalisation", running_mean),
    Generator("count-of-statistics", "normalisation", "which-normalisation", count_of_statistics),
    Generator("gram-entry", "style-transfer", "gram-matrix", gram_entry),
    Generator("gram-shape", "style-transfer", "gram-matrix", gram_shape),
    Generator("adain-value", "style-transfer", "adain", adain_value),
)
