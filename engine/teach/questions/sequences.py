"""Questions on GANs, WaveNet, recurrent networks, attention, and on audio, MIDI and pictures as tensors."""

from __future__ import annotations

import math
import random

from engine.teach.questions.question import Draft, Generator, Mistake, bracketed, count_of


def discriminator_loss(rng: random.Random) -> Draft:
    real, fake = rng.randint(10, 19) / 20, rng.randint(1, 12) / 20
    loss = -math.log(real) - math.log(1 - fake)
    return Draft(
        text="D gives these probabilities of being real. What is the discriminator's loss?",
        code=(
            f"import torch\n\nd_real, d_fake = torch.tensor({real}), torch.tensor({fake})\n"
            'loss = -(d_real.log() + (1 - d_fake).log())\nprint(f"{loss.item():.3f}")'
        ),
        worked=f"{loss:.3f}",
        because=f"-ln {real} - ln(1 - {fake}): D wants 1 for real and 0 for fake. A D that can't tell has ln 4 = "
        "1.386.",
        mistakes=[
            Mistake(f"{-math.log(real) - math.log(fake):.3f}", "wants 1 for the fake as well"),
            Mistake(f"{-math.log(fake):.3f}", "computes the generator's non-saturating loss"),
            Mistake(f"{-math.log(real):.3f}", "leaves the fake sample out"),
            Mistake(f"{-loss:.3f}", "gives the value that D maximises, not the loss that it minimises"),
            Mistake(f"{loss / 2:.3f}", "averages the two terms"),
        ],
    )


def generator_gradient(rng: random.Random) -> Draft:
    logit = rng.randint(-10, 6) / 2
    d = 1 / (1 + math.exp(-logit))
    saturating = rng.random() < 0.5
    loss = "torch.log(1 - torch.sigmoid(z))" if saturating else "-torch.log(torch.sigmoid(z))"
    return Draft(
        text="z is D's logit for a fake. What gradient does this generator loss give?",
        code=(
            f"import torch\n\nz = torch.tensor({logit}, requires_grad=True)\nloss = {loss}\nloss.backward()\n"
            'print(f"{z.grad.item():.3f}")'
        ),
        worked=f"{-d if saturating else d - 1:.3f}",
        because=f"D = σ(z) = {d:.3f}; "
        + (
            "the gradient of log(1 - D) is -D, next to nothing where D spots the fake."
            if saturating
            else "the gradient of -log D is D - 1, strong where D spots the fake."
        ),
        mistakes=[
            Mistake(f"{d - 1:.3f}", "takes the gradient of -log D"),
            Mistake(f"{-d:.3f}", "takes the gradient of log(1 - D)"),
            Mistake(
                f"{d if saturating else 1 - d:.3f}", "has the sign reversed: the loss must fall as D's logit rises"
            ),
            Mistake(f"{d * (1 - d):.3f}", "gives the derivative of the sigmoid alone"),
            Mistake(f"{-1 / (1 - d) if saturating else -1 / d:.3f}", "differentiates by D and leaves out the sigmoid"),
        ],
    )


def gradient_penalty(rng: random.Random) -> Draft:
    a, b, norm = rng.choice(((3, 4, 5), (6, 8, 10), (0, 2, 2), (5, 12, 13), (0, 4, 4), (8, 6, 10)))
    weight = rng.choice((10, 1, 5))
    return Draft(
        text="A linear critic D(x) = w·x. What does this gradient penalty print?",
        code=(
            f"import torch\n\nw = torch.tensor([{float(a)}, {float(b)}])\nx = torch.zeros(1, 2, requires_grad=True)\n"
            "(g,) = torch.autograd.grad((x @ w).sum(), x, create_graph=True)\n"
            f"penalty = {weight} * ((g.norm(dim=1) - 1) ** 2).mean()\nprint(penalty.item())"
        ),
        worked=str(float(weight * (norm - 1) ** 2)),
        because=f"the gradient is w everywhere, its norm {norm}: {weight} · ({norm} - 1)².",
        mistakes=[
            Mistake(str(float(weight * norm**2)), "pulls the norm towards 0 instead of 1"),
            Mistake(str(float((norm - 1) ** 2)), "forgets the weight of the penalty"),
            Mistake(str(float(weight * (norm - 1))), "forgets the square"),
            Mistake(str(float(weight * (a + b - 1) ** 2)), "mistakes the sum of the components for the norm"),
            Mistake("0.0", "assumes that a linear critic needs no penalty"),
            Mistake(str(float(weight * (norm**2 - 1) ** 2)), "takes the squared norm"),
        ],
    )


def critic_loss(rng: random.Random) -> Draft:
    real, fake = [float(rng.randint(-2, 6)) for _ in range(2)], [float(rng.randint(-5, 3)) for _ in range(2)]
    mr, mf = sum(real) / 2, sum(fake) / 2
    return Draft(
        text="The scores of a Wasserstein critic. What is its loss, without the penalty?",
        code=(
            f"import torch\n\nreal, fake = torch.tensor({real}), torch.tensor({fake})\n"
            "print((fake.mean() - real.mean()).item())"
        ),
        worked=str(mf - mr),
        because=f"the critic minimises E[D(fake)] - E[D(real)] = {mf:g} - {bracketed(mr)}: real samples should "
        "score higher.",
        mistakes=[
            Mistake(str(mr - mf), "has the sign reversed: this is the estimate of the distance, which it maximises"),
            Mistake(str(-mf), "gives the generator's loss"),
            Mistake(str(-(mr + mf)), "wants high scores for both"),
            Mistake(str(sum(fake) - sum(real)), "sums over the batch instead of averaging"),
            Mistake(str(mr + mf), "adds the two means"),
        ],
    )


def dilated_receptive_field(rng: random.Random) -> Draft:
    kernel, layers, blocks = rng.choice((2, 2, 3)), rng.randint(3, 8), rng.choice((1, 2, 3))
    dilations = [2**i for i in range(layers)] * blocks
    field = 1 + (kernel - 1) * sum(dilations)
    return Draft(
        text="The receptive field of a WaveNet stack, in time steps. What does this print?",
        code=(
            f"import torch\nfrom torch import nn\n\ndilations = [2**i for i in range({layers})] * {blocks}\n"
            f"net = nn.Sequential(*[nn.Conv1d(1, 1, {kernel}, dilation=d) for d in dilations])\n"
            "n = 5000\nprint(n - net(torch.zeros(1, 1, n)).shape[-1] + 1)"
        ),
        worked=str(field),
        because=f"1 + (k - 1) · Σ dilations = 1 + {kernel - 1} · {sum(dilations)}.",
        mistakes=[
            Mistake(str(field - 1), "forgets the present time step"),
            Mistake(str(1 + (kernel - 1) * len(dilations)), "overlooks the dilations"),
            Mistake(str(1 + kernel * sum(dilations)), "counts k instead of k - 1 steps per layer"),
            Mistake(str(1 + (kernel - 1) * sum(dilations[:layers])), "counts one block only"),
            Mistake(str(kernel ** len(dilations)), "multiplies the kernel sizes of all the layers"),
            Mistake(str(1 + (kernel - 1) * max(dilations)), "looks at the last layer only"),
        ],
    )


def causal_output(rng: random.Random) -> Draft:
    x = [rng.randint(1, 9) for _ in range(6)]
    dilation, t = rng.choice((1, 2)), rng.choice((3, 4))
    a, b = rng.sample((1, 2, 3, 10), 2)
    return Draft(
        text="A causal convolution with two taps. What does this print?",
        code=(
            "import torch\nfrom torch.nn import functional as F\n\n"
            f"x = torch.tensor([[{x}]])\nkernel = torch.tensor([[[{a}, {b}]]])\n"
            f"y = F.conv1d(F.pad(x, ({dilation}, 0)), kernel, dilation={dilation})\nprint(y[0, 0, {t}].item())"
        ),
        worked=str(a * x[t - dilation] + b * x[t]),
        because=(
            f"padded on the left only, the last tap stands on the present: {a}·x[{t - dilation}] + {b}·x[{t}] "
            f"= {a}·{x[t - dilation]} + {b}·{x[t]}."
        ),
        mistakes=[
            Mistake(str(b * x[t - dilation] + a * x[t]), "flips the kernel, as a true convolution would"),
            Mistake(
                str(a * x[t] + b * x[t + dilation]) if t + dilation < 6 else str(a * x[t]), "looks into the future"
            ),
            Mistake(str(a * x[t - 1] + b * x[t]), "overlooks the dilation"),
            Mistake(str(a * x[t - dilation - 1] + b * x[t - 1]), "is one step late"),
            Mistake(str(b * x[t]), "assumes that the first tap still stands on the padding"),
        ],
    )


def mu_law_class(rng: random.Random) -> Draft:
    x = rng.choice((-1, 1)) * rng.choice((0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.7, 0.9))
    y = math.copysign(math.log1p(255 * abs(x)) / math.log(256), x)
    code = int((y + 1) / 2 * 255 + 0.5)
    return Draft(
        text="Mu-law with 256 classes. What does this print?",
        code=(
            f"import torch\n\nx = torch.tensor({x})\ny = x.sign() * torch.log1p(255 * x.abs()) / math.log(256)\n"
            "print(int((y + 1) / 2 * 255 + 0.5))"
        ).replace("import torch\n", "import math\nimport torch\n", 1),
        worked=str(code),
        because=f"sign(x) ln(1 + 255|x|)/ln 256 = {y:.3f}, then -1..1 is cut into 0..255.",
        mistakes=[
            Mistake(str(int((x + 1) / 2 * 255 + 0.5)), "quantises linearly, without the companding"),
            Mistake(str(255 - code), "has the sign reversed"),
            Mistake(str(int(abs(y) * 255 + 0.5)), "forgets that half of the classes are for negative samples"),
            Mistake(str(int(y * 127 + math.copysign(0.5, y))), "counts from -127 to 127 instead of 0 to 255"),
        ],
    )


def attention_output(rng: random.Random) -> Draft:
    values = [float(v) for v in rng.sample(range(13), 3)]
    kind = rng.choice(("equal", "first", "causal"))
    query = {"equal": 0.0, "first": 100.0, "causal": 0.0}[kind]
    keys = [1.0, 0.0, 0.0] if kind == "first" else [1.0, 1.0, 1.0]
    mean = sum(values) / 3
    first_two = sum(values[:2]) / 2
    worked = {"equal": mean, "first": values[0], "causal": first_two}[kind]
    rule = {
        "equal": "all scores are equal, so the weights are 1/3 each: the mean of the values",
        "first": "the first score is far above the others: the softmax gives it all the weight",
        "causal": "the scores are equal, and the mask leaves the query only the first two positions: their mean",
    }[kind]
    mask = "scores[:, 2] = -torch.inf  # the second position may not see the third\n" if kind == "causal" else ""
    return Draft(
        text="Attention of one query over three positions. What does this print?",
        code=(
            f"import torch\n\nq = torch.tensor([[{query}]])\nk = torch.tensor({[[v] for v in keys]})\n"
            f"v = torch.tensor({[[v] for v in values]})\nscores = q @ k.T\n{mask}"
            'print(f"{(scores.softmax(dim=-1) @ v).item():.2f}")'
        ),
        worked=f"{worked:.2f}",
        because=f"{rule}.",
        mistakes=[
            Mistake(f"{mean:.2f}", "gives all three positions the same weight"),
            Mistake(f"{sum(values):.2f}", "adds the values up: the weights sum to 1"),
            Mistake(f"{max(values):.2f}", "picks the largest value: keys decide, not values"),
            *(
                [Mistake(f"{sum(values[:2]) / 3:.2f}", "masks after the softmax, and the weights no longer sum to 1")]
                if kind == "causal"
                else []
            ),
            Mistake(f"{values[0]:.2f}", "lets the query see the first position only"),
            Mistake(f"{query:.2f}", "gives the query itself"),
        ],
    )


def attention_parameters(rng: random.Random) -> Draft:
    heads = rng.choice((2, 3, 4, 6, 8))
    width = heads * rng.choice((4, 8, 12, 16, 32))
    return Draft(
        text="How many parameters does this attention layer have?",
        code=(
            "from torch import nn\n\n"
            f"layer = nn.MultiheadAttention(embed_dim={width}, num_heads={heads})\n"
            "print(sum(p.numel() for p in layer.parameters()))"
        ),
        worked=str(4 * width * width + 4 * width),
        because=f"four maps {width} x {width} (query, key, value, output) and their biases; the heads only cut them "
        "up.",
        mistakes=[
            Mistake(str(3 * width * width + 3 * width), "forgets the output map"),
            Mistake(str(4 * width * width), "forgets the biases"),
            Mistake(str(heads * (4 * width * width + 4 * width)), "gives each head maps of full width"),
            Mistake(
                str(4 * (width // heads) ** 2 + 4 * (width // heads)),
                f"takes the width of one head, {width // heads}, for the layer's width",
            ),
            Mistake(str(12 * width * width), f"counts the weights of a whole transformer block, 12·{width}²"),
        ],
    )


def causal_mask_count(rng: random.Random) -> Draft:
    n = rng.randint(3, 40)
    return Draft(
        text="How many query-key pairs does a causal mask allow?",
        code=f"import torch\n\nmask = torch.ones({n}, {n}, dtype=torch.bool).tril()\nprint(mask.sum().item())",
        worked=str(n * (n + 1) // 2),
        because=f"position t sees itself and the t before it: 1 + 2 + {'' if n == 3 else '... + '}{n} = {n}·{n + 1}/2.",
        mistakes=[
            Mistake(str(n * (n - 1) // 2), "forbids a position from seeing itself"),
            Mistake(str(n * n), "allows all pairs, as an encoder does"),
            Mistake(str(n), "counts the diagonal only"),
            Mistake(str(n * n // 2), "halves the whole square, diagonal included"),
        ],
    )


def lstm_shape(rng: random.Random) -> Draft:
    layers = rng.choice((2, 3))
    batch, steps, width, hidden = rng.sample((4, 5, 6, 7, 8, 10, 12), 4)
    asked = rng.choice(("y", "h"))
    worked = (batch, steps, hidden) if asked == "y" else (layers, batch, hidden)
    return Draft(
        text="What does this print?",
        code=(
            "import torch\nfrom torch import nn\n\n"
            f"lstm = nn.LSTM({width}, {hidden}, num_layers={layers}, batch_first=True)\n"
            f"y, (h, c) = lstm(torch.zeros({batch}, {steps}, {width}))\nprint(tuple({asked}.shape))"
        ),
        worked=str(worked),
        because=(
            "y holds the last layer's hidden state at every step, batch first as asked for."
            if asked == "y"
            else "h holds the last step's hidden state of every layer; batch_first does not apply to it."
        ),
        mistakes=[
            Mistake(str((batch, steps, hidden)), "takes the outputs of all steps"),
            Mistake(str((layers, batch, hidden)), "takes the final state of every layer"),
            Mistake(
                str((batch, layers, hidden)), "assumes that batch_first turns the state round as well", asked == "h"
            ),
            Mistake(
                str((steps, batch, hidden)), "expects the time first, as it would be without batch_first", asked == "y"
            ),
            Mistake(
                str((layers, steps, hidden)), "overlooks batch_first, and mistakes the time for the batch", asked == "h"
            ),
            Mistake(
                str((batch, steps, width)), "keeps the input's width" if asked == "y" else "gives the input's shape"
            ),
            Mistake(str((batch, hidden)), "expects the last step of the last layer only"),
        ],
    )


def spectrogram_shape(rng: random.Random) -> Draft:
    rate, seconds = rng.choice((8000, 16000, 22050)), rng.choice((1, 2, 3))
    n_fft = rng.choice((512, 1024, 2048))
    hop = n_fft // rng.choice((2, 4))
    n = rate * seconds
    bins, frames = n_fft // 2 + 1, 1 + n // hop
    return Draft(
        text=f"{seconds} s of audio at {rate} Hz. What does this print?",
        code=(
            f"import torch\n\nx = torch.zeros({n})\nwindow = torch.hann_window({n_fft})\n"
            f"S = torch.stft(x, n_fft={n_fft}, hop_length={hop}, window=window, return_complex=True)\n"
            "print(tuple(S.shape))"
        ),
        worked=str((bins, frames)),
        because=f"{n_fft}/2 + 1 = {bins} frequencies and, with centring, 1 + ⌊{n}/{hop}⌋ = {frames} frames.",
        mistakes=[
            Mistake(str((n_fft, frames)), "counts the mirrored frequencies of a real signal as well"),
            Mistake(str((n_fft // 2, frames)), "forgets the frequency 0 or the Nyquist frequency"),
            Mistake(str((bins, n // n_fft)), "cuts the audio into windows that don't overlap"),
            Mistake(
                str((bins, 1 + (n - n_fft) // hop)), "overlooks that the signal is padded at both ends (center=True)"
            ),
            Mistake(str((frames, bins)), "has time first"),
        ],
    )


def midi_frequency(rng: random.Random) -> Draft:
    interval = rng.choice([n for n in range(-24, 25) if n != 0])
    pitch = 69 + interval
    f = 440 * 2 ** (interval / 12)
    return Draft(
        text="The frequency of a MIDI pitch, in Hz. What does this print?",
        code=f"import torch\n\npitch = torch.tensor({float(pitch)})\n"
        f'print(f"{{440 * 2 ** ((pitch.item() - 69) / 12):.1f}}")',
        worked=f"{f:.1f}",
        because=f"{count_of(abs(interval), 'semitone')} {'above' if interval > 0 else 'below'} A4: "
        "twelve of them double or halve the frequency.",
        mistakes=[
            Mistake(f"{440 * 2 ** (-interval / 12):.1f}", "goes the wrong way"),
            Mistake(
                f"{440 * (1 + interval / 12):.1f}",
                "adds equal steps in Hz: equal intervals are equal ratios",
                holds=interval > -12,
            ),
            Mistake(f"{440 * 2 ** (interval / 8):.1f}", "counts eight steps to the octave"),
            Mistake(f"{440 * 2 ** ((pitch - 60) / 12):.1f}", "mistakes 60, middle C, for the A of 440 Hz"),
            Mistake(f"{440 * 2 ** math.copysign(1, interval):.1f}", "mistakes the interval for an octave"),
        ],
    )


def picture_to_tensor(rng: random.Random) -> Draft:
    h, w = rng.sample((24, 32, 48, 64, 100), 2)
    batch = rng.random() < 0.5
    chain = ".permute(2, 0, 1)" + (".unsqueeze(0)" if batch else "")
    worked = (1, 3, h, w) if batch else (3, h, w)
    lead = (1,) if batch else ()
    return Draft(
        text=f"A decoded picture {w} px wide and {h} px high. What does this print?",
        code=(
            f"import numpy as np\nimport torch\n\ndecoded = np.zeros(({h}, {w}, 3), dtype=np.uint8)\n"
            f"x = torch.from_numpy(decoded){chain}\nprint(tuple(x.shape), (x / 255).dtype)"
        ),
        worked=f"{worked} torch.float32",
        because="decoders give (H, W, C) in uint8; permute puts the channels first, and dividing integers gives "
        "float32.",
        mistakes=[
            Mistake(f"{(*lead, 3, w, h)} torch.float32", "has width before height"),
            Mistake(f"{(*lead, h, w, 3)} torch.float32", "leaves the channels last"),
            Mistake(f"{worked} torch.uint8", "assumes that uint8 stays uint8 when divided"),
            Mistake(f"{worked} torch.float64", "expects double precision, as NumPy gives"),
            Mistake(
                f"{(3, h, w, 1) if batch else (1, 3, h, w)} torch.float32",
                "puts the batch dimension last" if batch else "adds a batch dimension, which only unsqueeze(0) would",
            ),
        ],
    )


GENERATORS = (
    Generator("discriminator-loss", "gans", "gan-minimax", discriminator_loss),
    Generator("generator-gradient", "gans", "non-saturating-loss", generator_gradient),
    Generator("gradient-penalty", "gans", "wasserstein-gan-gradient-penalty", gradient_penalty),
    Generator("critic-loss", "gans", "wasserstein-gan-gradient-penalty", critic_loss),
    Generator("dilated-receptive-field", "wavenet", "wavenet-receptive-field", dilated_receptive_field),
    Generator("causal-output", "wavenet", "dilated-causal-convolution", causal_output),
    Generator("mu-law-class", "wavenet", "mu-law", mu_law_class),
    Generator("attention-output", "sequence-models", "attention", attention_output),
    Generator("attention-parameters", "sequence-models", "multi-head-attention", attention_parameters),
    Generator("causal-mask-count", "sequence-models", "causal-mask", causal_mask_count),
    Generator("lstm-shape", "sequence-models", "recurrent-networks", lstm_shape),
    Generator("spectrogram-shape", "media-data", "spectrogram", spectrogram_shape),
    Generator("midi-frequency", "media-data", "midi", midi_frequency),
    Generator("picture-to-tensor", "media-data", "image-as-tensor", picture_to_tensor),
)
