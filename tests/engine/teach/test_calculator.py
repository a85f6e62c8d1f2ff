"""What the calculator computes is what torch computes; everything else is refused, or left to the cards."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from engine.errors import BadOption
from engine.progress import silent
from engine.teach.calculator.answering import RAISES, calculate, may_be_calculation, read_calculation

ROOT = Path(__file__).parents[3]
HOSTILE = [
    line.replace("\\n", "\n").replace("\\0", "\0")
    for line in (Path(__file__).parent / "hostile.txt").read_text(encoding="utf-8").splitlines()
]
LARGE = [
    "torch.ones(" * 200 + "2" + ")" * 200,
    "-" * 300 + "torch.ones(2)",
    "~" * 50 + "torch.ones(2)",
    "torch.ones(2)" + ".sum()" * 300,
    "torch.tensor(" + "[" * 60 + "1" + "]" * 60 + ")",
    "torch.ones(2)" + "+1" * 400,
    "torch.cat([" + "torch.ones(2)," * 100 + "])",
    "(" * 500 + "torch.ones(2)" + ")" * 500,
    "torch.ones(" + "1," * 300 + ")",
    "torch.ones(2)" + "[0]" * 100,
    "nn.Sequential(" * 30 + "nn.ReLU()" + ")" * 30,
    "torch.ones(" + "9" * 350 + ")",
    "torch.tensor([" + "1," * 190 + "1])**64",
    "kernel 3 on " + "9" * 500,
    "x" * 5000,
    "torch." * 60 + "ones(2)",
    "torch.ones(2) " + "@ torch.ones(2) " * 30,
    "torch.ones(4000).repeat(4000).repeat(4000)",
]
PATIENCE_S = 5.0  # of the processor, which a busy machine does not stretch
"""Far more than any of them takes: a guard against work without bounds, not a measurement."""


def expected(code: str) -> str:
    """What torch says; only ever given the expressions of this file."""
    value = eval(code, {"torch": torch, "nn": nn, "F": F})
    if isinstance(value, torch.Tensor):
        return str(value).replace("\n", " ").replace("         ", " ").replace("        ", " ")
    return str(value)


EXPRESSIONS = """
torch.arange(6).view(2, 3).sum(1)
torch.arange(6).view(2, 3).sum()
torch.arange(6.0).view(2, 3).mean(dim=0)
torch.arange(2, 11, 3)
torch.linspace(0, 1, 5)
torch.tensor([1, 2, 3]) + torch.tensor([[10], [20]])
torch.tensor([1, 2, 3]) / 2
torch.tensor([7, -7]) // 2
torch.tensor([7, -7]) % 3
torch.tensor([1.5, -2.5]) * 2
torch.tensor([1, 2]) * 2.5
torch.tensor([2.0, 3.0]) ** 2
2 ** torch.tensor([1.0, 3.0])
1 - torch.tensor([0.25, 0.5])
torch.ones(2, 3) @ torch.ones(3, 2)
torch.eye(2) * 3
torch.full((2, 2), 7)
torch.zeros(2, dtype=torch.int64)
torch.tensor([[1, 2], [3, 4]]).t()
torch.tensor([[1, 2], [3, 4]]).T
torch.tensor([[1, 2, 3]]).transpose(0, 1)
torch.arange(6).reshape(3, 2).flatten()
torch.arange(3).unsqueeze(1)
torch.tensor([[1], [2]]).expand(2, 3)
torch.tensor([1, 2]).repeat(2, 2)
torch.tensor([3, 1, 2]).flip(0)
torch.tensor([1.0, 2.0, 3.0]).softmax(0)
torch.softmax(torch.tensor([[1.0, 2.0], [3.0, 3.0]]), dim=1)
torch.log_softmax(torch.tensor([1.0, 2.0]), dim=0)
torch.sigmoid(torch.tensor([0.0, 2.0]))
torch.relu(torch.tensor([-1.0, 2.0]))
F.relu(torch.tensor([-1, 2]))
torch.tanh(torch.tensor(0.5))
torch.exp(torch.tensor([0, 1]))
torch.tensor([1.0, 2.0, 4.0]).std()
torch.tensor([1.0, 2.0, 4.0]).var(correction=0)
torch.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax(dim=1)
torch.tensor([[1.0, 5.0], [7.0, 2.0]]).max()
torch.tensor([3.0, 4.0]).norm()
torch.tensor([1, 2, 3]).cumsum(0)
torch.tensor([1, 2, 3]).prod()
torch.tensor([5, -5]).clamp(min=0)
torch.tensor([5.0, -5.0]).clamp(-1, 1)
torch.tensor([1, 2, 3]) > 2
torch.tensor([1, 2, 3]) == 2
torch.cat([torch.ones(2), torch.zeros(1)])
torch.stack([torch.arange(2), torch.arange(2)], dim=1)
torch.where(torch.tensor([True, False]), torch.tensor([1, 2]), torch.tensor([3, 4]))
torch.arange(10)[2:8:3]
torch.arange(12).view(3, 4)[1]
torch.arange(12).view(3, 4)[:, 1]
torch.arange(12).view(3, 4)[..., -1]
torch.arange(4)[None].shape
torch.arange(4)[[0, 2]]
torch.tensor([200], dtype=torch.uint8) + torch.tensor([100], dtype=torch.uint8)
(torch.ones(2, dtype=torch.int64) + torch.ones(2, dtype=torch.float16)).dtype
(torch.ones(2, dtype=torch.uint8) + torch.ones(2, dtype=torch.int8)).dtype
(torch.arange(3) + 1.5).dtype
(torch.arange(3) * True).dtype
(torch.ones(2, dtype=torch.float16) * 2.0).dtype
torch.zeros(8, 3, 32, 32).shape
torch.zeros(8, 3, 32, 32).numel()
torch.zeros(8, 3, 32, 32).flatten(1).shape
torch.zeros(8, 3, 32, 32).permute(0, 2, 3, 1).shape
torch.zeros(64, 3, 224, 224).nbytes
torch.zeros(5, 1, 4) .squeeze(1).shape
torch.zeros(100, 200)[0].shape
torch.zeros(100, 200)[:, ::7].shape
torch.zeros(100, 200)[:, None].shape
(torch.zeros(10, 1, 6) + torch.zeros(7, 1)).shape
(torch.zeros(10, 2, 3) @ torch.zeros(3, 4)).shape
(torch.zeros(10, 2, 3) @ torch.zeros(3)).shape
torch.zeros(2, 3).ndim
torch.zeros(2, 3).size(1)
torch.tensor(3.0).item()
torch.tensor([0.1, 0.2]).sum()
torch.tensor([1e-5, 1.0])
torch.tensor([float("1")]) if False else torch.tensor([1.0])
-torch.tensor([1.0, -2.0])
nn.Conv2d(3, 64, 3, stride=2, padding=1)(torch.zeros(8, 3, 224, 224)).shape
nn.Linear(10, 5)(torch.zeros(2, 7, 10)).shape
nn.Embedding(10, 4)(torch.zeros(2, 3, dtype=torch.int64)).shape
nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())(torch.zeros(1, 1, 28, 28)).shape
nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)(torch.zeros(1, 8, 16, 16)).shape
nn.AdaptiveAvgPool2d(1)(torch.zeros(2, 8, 7, 7)).shape
nn.Upsample(scale_factor=2)(torch.zeros(1, 3, 5, 5)).shape
nn.PixelShuffle(2)(torch.zeros(1, 8, 4, 4)).shape
""".strip().splitlines()


@pytest.mark.parametrize("code", [code for code in EXPRESSIONS if " if " not in code])
def test_an_expression_is_what_torch_makes_of_it(code: str) -> None:
    found = calculate(code)
    assert found is not None
    assert found.answer.replace(" ", "") == expected(code).replace(" ", "")
    again = calculate(f"what is `{code}`?")
    assert again is not None
    assert again.answer == found.answer


def test_random_convolutions_have_torchs_shapes_and_parameters() -> None:
    rng = random.Random(0)
    for _ in range(60):
        groups = rng.choice((1, 1, 2))
        k, s, d, p = rng.choice((1, 2, 3, 5)), rng.choice((1, 2, 3)), rng.choice((1, 2)), rng.choice((0, 1, 2))
        bias = rng.random() < 0.5
        kind = rng.choice(("Conv2d", "ConvTranspose2d"))
        padding = min(p, (d * (k - 1)) // 2)
        code = f"nn.{kind}(4, 6, {k}, stride={s}, padding={padding}, dilation={d}, groups={groups}, bias={bias})"
        size = rng.randint(12, 40)
        real = eval(code, {"nn": nn})
        found = calculate(f"what shape comes out of `{code}` on 2x4x{size}x{size + 1}?")
        assert found is not None
        assert found.answer == str(real(torch.zeros(2, 4, size, size + 1)).shape)
        counted = calculate(f"how many parameters has {code}?")
        assert counted is not None
        assert counted.answer == str(sum(q.numel() for q in real.parameters()))


@pytest.mark.parametrize(
    "code",
    """
nn.Linear(784, 10)
nn.Linear(784, 10, bias=False)
nn.Embedding(1000, 64)
nn.BatchNorm2d(32)
nn.InstanceNorm2d(32)
nn.LayerNorm(64)
nn.LayerNorm((3, 8, 8))
nn.GroupNorm(2, 8)
nn.RMSNorm(16)
nn.PReLU()
nn.LSTM(10, 20)
nn.LSTM(10, 20, num_layers=2, bidirectional=True)
nn.GRU(10, 20, bias=False)
nn.RNN(3, 4, 2)
nn.MultiheadAttention(64, 8)
nn.Conv1d(3, 5, 7)
nn.Conv3d(2, 4, (1, 3, 5))
nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.5))
""".strip().splitlines(),
)
def test_parameters_are_counted_as_torch_counts_them(code: str) -> None:
    found = calculate(f"how many parameters has {code}?")
    assert found is not None
    real = sum(p.numel() for p in eval(code, {"nn": nn}).parameters())
    assert found.answer == str(real)
    assert found.steps
    assert any(str(real) in step for step in found.steps)


WORDS = [
    ("kernel 5, dilation 2, no padding, on 28 pixels?", "20"),
    ("weights of a conv 16 to 32, kernel 5, with bias", "12832"),
    ("how many weights has a conv from 16 to 32 channels with a 5x5 kernel and no bias", "12800"),
    ("output size of a 3x3 conv with stride 2 and padding 1 on 224x224", "112 x 112"),
    ("what size comes out of a 7x7 convolution with stride 2 and padding 3 on a 224 pixel image", "112"),
    ("max pool 2x2 on 28 pixels: what size is left?", "14"),
    ("max pool 2x2 on 28x28, which output size?", "14 x 14"),
    ("size after a transposed conv kernel 4 stride 2 padding 1 on 16x16", "32 x 32"),
    ("how many parameters has a linear layer 784 to 10", "7850"),
    ("parameters of a dense layer 784 -> 128 -> 10", "101770"),
    ("parameters of a depthwise conv 32 to 32 with kernel 3 without bias", "288"),
    ("bytes of a 64x3x224x224 float16 tensor", "19267584 bytes (18.38 MiB)"),
    ("how much memory does a 1000x1000 float32 tensor take", "4000000 bytes (3.815 MiB)"),
    ("how many batches of size 32 in 1000 examples", "32"),
    ("how many batches are there with batch size 64 and 60,000 images with drop_last", "937"),
    ("receptive field of three 3x3 convolutions", "7"),
    ("receptive field with kernel 2 and dilations 1, 2, 4, 8", "16"),
    ("what is left of 28 pixels after a 3x3 conv without padding?", "26"),
    ("maxpool of 3 with stride 3 on 31 pixels, what size is left", "10"),
    ("after 3 maxpools of 2, how big is a 32x32 image", "4 x 4"),
    ("receptive field of 10 layers with kernel 2 and a dilation that doubles", "1024"),
    ("steps per epoch with 50000 images and batch size 128", "391"),
    ("entropy of [0.5, 0.25, 0.25]", "1.5 bits"),
    ("how many MACs has Conv2d(64, 128, 3) on 56x56", "214990848 MACs"),
    ("what size comes out of a 3x3 conv on a 32x32x3 image", "30 x 30"),
    ("how many weights (not biases) has a linear layer 784 to 10", "7840"),
    ("how many biases has Linear(784, 10)", "10"),
    ("how many batches with batch size 32 for 1000 images, drop_last=False", "32"),
    ("how many steps for 10 epochs with 1000 images and batch size 10", "1000"),
    ("memory of a batch of 32 images of 3x224x224 float32", "19267584 bytes (18.38 MiB)"),
    ("entropy of [1, 0]", "0 bits"),
    ("average of 1, 2, 3 and 4", "tensor(2.5000)"),
    ("dense 28*28 to 128 parameters", "100480"),
]

AMBIGUOUS = [
    "kernel 3x5 on 28x28, output size?",
    "output size of a 3x3 conv stride (2, 1) on 28x28",
    "kernel 3 on 28 pixels with padding -1",
    "after a 3x3 conv with stride 2 and a 2x2 max pool what size is left of 32x32",
    "after two 3x3 convs and a 2x2 maxpool what size is left of 28x28",
    "receptive field of two 3x3 convs followed by a 5x5 conv",
    "conv 3 to 16 kernel 3 on 32x32 how many macs",
    "how many biases has a linear layer 784 to 10",
    "flatten 3x32x32 with batch 8",
]
"""Questions that a reader of single words answers, and wrongly."""


@pytest.mark.parametrize("question", AMBIGUOUS)
def test_what_is_more_than_one_layer_or_one_number_is_not_guessed(question: str) -> None:
    assert calculate(question) is None


@pytest.mark.parametrize("code", ["torch.rand(3).sum()", "torch.ones(100, 100).sum()"])
def test_a_shape_is_not_passed_off_as_the_value_that_was_asked_for(code: str) -> None:
    found = calculate(f"what is {code}?")
    assert found is not None
    assert found.answer == "a tensor of shape []; its values are random, or too many to compute"
    assert calculate(f"what shape has {code}?").answer == "torch.Size([])"  # type: ignore[union-attr]


def test_a_stride_of_zero_is_a_mistake() -> None:
    with pytest.raises(BadOption, match="at least 1"):
        calculate("stride 0 kernel 3 on 28 pixels")


SENTENCES = [
    ("softmax of [0, 1.5, 3]", "F.softmax(torch.tensor([0., 1.5, 3.]), dim=0)"),
    ("what's the sigmoid of 0.25?", "torch.sigmoid(torch.tensor([0.25]))"),
    ("mean of (1, 2, 4)", "torch.tensor([1., 2., 4.]).mean()"),
    ("std of 1, 2, 4", "torch.tensor([1., 2., 4.]).std()"),
    ("shape of (2, 1, 3) + (4, 1)", "(torch.zeros(2, 1, 3) + torch.zeros(4, 1)).shape"),
    ("can I add a 3x4 and a 4 x 4 tensor?", "(torch.zeros(3, 4) + torch.zeros(4, 4)).shape"),
    ("what shape is a 2x3 matrix times a 3x5 matrix", "(torch.zeros(2, 3) @ torch.zeros(3, 5)).shape"),
    (
        "what dtype is int64 + float16",
        "(torch.zeros(1, dtype=torch.int64) + torch.zeros(1, dtype=torch.float16)).dtype",
    ),
    ("what size is 32x7x7 after flattening, flatten 32x7x7", "torch.zeros(32, 7, 7).flatten().shape"),
    (
        "parameters of a bidirectional GRU with input 6 and hidden size 9, 2 layers",
        "nn.GRU(6, 9, num_layers=2, bidirectional=True)",
    ),
    ("weights of an embedding of 500 tokens with 16 dims", "nn.Embedding(500, 16)"),
    ("how many parameters has a batch norm of 32 channels", "nn.BatchNorm2d(32)"),
]


@pytest.mark.parametrize(("sentence", "code"), SENTENCES)
def test_a_sentence_means_its_line_of_code(sentence: str, code: str) -> None:
    found = read_calculation(sentence.encode(), {}, silent).facts
    try:
        real = eval(code, {"torch": torch, "nn": nn, "F": F})
    except RuntimeError:
        assert found["answer"] == RAISES
        return
    if isinstance(real, nn.Module):
        real = sum(p.numel() for p in real.parameters())
    assert found["answer"] == str(real)
    assert found["asked"] == code
    assert found["steps"]


@pytest.mark.parametrize(
    "sentence",
    [
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (8x6 and 5x3)",
        "The size of tensor a (3) must match the size of tensor b (4)",
        "mean of 3 runs",
        "the mean of my loss is 0.3 after 20 epochs",
        "is 0.9, 0.8 and 0.7 a good learning curve",
        "add 2 layers to my lstm",
        "what does the mean of the squares give",
    ],
)
def test_a_sentence_that_only_has_numbers_in_it_is_no_calculation(sentence: str) -> None:
    assert calculate(sentence) is None


@pytest.mark.parametrize(("question", "answer"), WORDS)
def test_a_question_in_words_is_computed(question: str, answer: str) -> None:
    found = calculate(question)
    assert found is not None
    assert found.answer == answer
    assert found.steps


@pytest.mark.parametrize(
    "question",
    [
        *("", " ", "what is a tensor?", "what is a receptive field", "how does dropout work", "why do we need padding"),
        *(
            "how many parameters does a conv layer have",
            "formula for the output size of a convolution",
            "hello",
            "1 + 1",
        ),
        *("what does torch.cat do", "difference between torch.cat and torch.stack", "how do I use nn.LSTM"),
        *(
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x512 and 256x10)",
            "什么是卷积",
            "\0",
            "kernel trick",
        ),
        *("size of tensor a (3) must match the size of tensor b (4)", "why does torch.zeros(2, 3).t().view(6) fail?"),
        *("nn.Linear", "my loss is 2.3 at the start", "what does keepdim=True do", "is 95% accuracy good", "dtypes?"),
    ],
)
def test_what_asks_for_no_calculation_is_left_to_the_cards(question: str) -> None:
    assert calculate(question) is None


def test_a_mistake_is_explained_in_one_sentence() -> None:
    with pytest.raises(BadOption, match="expects 3 channels, but the input has 1"):
        calculate("nn.Conv2d(3, 6, 5)(torch.zeros(1, 1, 28, 28)).shape")
    with pytest.raises(BadOption, match="inner lengths"):
        calculate("torch.ones(2, 3) @ torch.ones(2, 3)")
    with pytest.raises(BadOption, match="don't broadcast: 3 meets 4"):
        calculate("torch.ones(3) + torch.ones(4)")


def refused(question: str) -> bool:
    """Whether nothing was computed; anything but a plain refusal fails the test."""
    start, found, sentence = time.process_time(), None, ""
    try:
        found = calculate(question)
    except BadOption as refusal:
        sentence = str(refusal)
    assert "\n" not in sentence
    assert len(sentence) < 200
    assert time.process_time() - start < PATIENCE_S
    return found is None


def test_there_are_enough_hostile_inputs() -> None:
    assert len(set(HOSTILE)) >= 300


@pytest.mark.parametrize("question", HOSTILE)
def test_a_hostile_input_is_refused(question: str) -> None:
    assert refused(question)


@pytest.mark.parametrize("question", LARGE, ids=range(len(LARGE)))
def test_an_input_without_measure_is_refused(question: str) -> None:
    assert refused(question)


@pytest.mark.parametrize("question", HOSTILE)
def test_a_hostile_input_in_backticks_in_a_sentence_is_not_computed_either(question: str) -> None:
    """It may only be left alone or refused, or its harmless part computed; nothing else may happen."""
    refused(f"what is `{question}`?")


@given(st.text(max_size=400))
@settings(max_examples=300)
def test_any_text_at_all_is_answered_refused_or_left_alone(text: str) -> None:
    for question in (text, f"torch.{text}", f"`torch.ones({text})`", f"torch.ones(2){text}"):
        refused(question)


def test_nothing_of_torch_or_of_files_is_needed() -> None:
    program = (
        "import sys\nimport engine.teach.calculator.answering as a\n"
        "import builtins\n"
        "def forbidden(*args, **kwargs):\n    raise SystemExit(3)\n"
        "builtins.open = builtins.eval = builtins.exec = builtins.__import__ = forbidden\n"
        "found = a.read_calculation(b'what is torch.arange(6).view(2,3).sum(1)', {}, None)\n"
        "assert found.facts['answer'] == 'tensor([3, 12])' and found.arrays == ()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_intake_process_gets_plain_facts() -> None:
    def facts(question: bytes) -> dict[str, object]:
        reading = read_calculation(question, {}, silent)
        assert reading.arrays == ()
        return reading.facts

    assert facts(b"kernel 5, dilation 2, no padding, on 28 pixels?") == {
        "answer": "20", "asked": "", "steps": ["\u230a(28 + 2\u00b70 - 2\u00b7(5 - 1) - 1)/1\u230b + 1 = 20"]
    }  # fmt: skip
    assert facts(b"hello") == facts(b"\xff\xfe") == {"answer": None}
    assert facts(b"torch.load('x')")["problem"]
    wrong = facts(b"what is torch.ones(2, 3) @ torch.ones(4)?")
    assert wrong["answer"] == RAISES
    assert "differ: 3 and 4" in str(wrong["steps"])


@pytest.mark.parametrize("question", ["", "  ", "what is a tensor", "x" * 2001])
def test_a_question_without_numbers_and_brackets_needs_no_calculator(question: str) -> None:
    assert not may_be_calculation(question)
    assert calculate(question) is None
