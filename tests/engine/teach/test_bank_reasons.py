"""The code of a fixed question, read with a misconception, prints the wrong answer that is put down to it."""

from __future__ import annotations

import warnings

import pytest

from engine.contract.typed import same_answer
from engine.teach.bank.reading import ask_fixed, load_bank
from engine.teach.questions.question import Kind
from engine.teach.snippets import run_snippet

BANK = {fixed.name: fixed for fixed in load_bank()}

MISREAD = [
    ("output-slice-end", "for a length", [("2:-2:3", "2:5")]),
    ("output-slice-end", "includes the end", [(":-2:", ":-1:")]),
    ("output-slice-end", "steps of 2", [(":3]", ":2]")]),
    ("output-view-writes-through", "view copies", [("x.view", "x.clone().view")]),
    ("output-view-writes-through", "column 1", [("y[1]", "y[:, 1]")]),
    ("output-view-writes-through", "whole storage", [("y[1]", "y[:]")]),
    ("output-mask-assignment", "changes a copy", [("x[x < 0]", "x.clone()[x < 0]")]),
    ("output-mask-assignment", "gives a view", [("y = x[x > 0]", "y = x[:]")]),
    ("output-mask-assignment", "wrong way round", [("x < 0", "x >= 0"), ("x > 0", "x <= 0")]),
    ("output-integer-dtype", "/ keeps integers", [("(x / 2)", "(x // 2)")]),
    ("output-integer-dtype", "// gives floating", [("(x // 2)", "(x / 2)")]),
    ("output-full-of-bool", "includes arange's end", [("arange(0, 1,", "arange(0, 1.25,")]),
    ("output-full-of-bool", "leaves the start out", [("arange(0, 1,", "arange(0.25, 1.25,")]),
    ("output-full-of-bool", "linspace leaves", [("linspace(0, 1, 5)", "linspace(0, 1, 5)[:-1]")]),
    (
        "output-cat-and-stack",
        "wrong way round",
        [("torch.cat", "torch.S"), ("torch.stack", "torch.cat"), (".S", ".stack")],
    ),
    ("output-cat-and-stack", "along the last", [("cat([a, a])", "cat([a, a], dim=-1)")]),
    ("output-cat-and-stack", "new dimension last", [("stack([a, a])", "stack([a, a], dim=-1)")]),
    ("output-grad-of-both", "direct path", [("c = a + b", "c = b")]),
    ("output-grad-of-both", "through b", [("b = a * a", "b = (a * a).detach()")]),
    ("output-grad-of-both", "value of c", [("a.grad", "c")]),
    ("output-no-grad-inside", "differentiates a", [("with torch.no_grad():", "if True:")]),
    ("output-module-count", "forgets the biases", [("nn.Linear(3, 4)", "nn.Linear(3, 4, bias=False)")]),
    ("output-module-count", "overlooks bias=False", [(", bias=False", "")]),
    ("output-tanh-range", "for the identity", [("torch.tanh(x)", "x")]),
    ("output-label-smoothing", "doesn't matter", [(", label_smoothing=0.1", "")]),
    ("output-entropy-order", "surer distribution has", [("h(a) > h(b)", "h(a) < h(b)")]),
    ("output-entropy-order", "2 bits or more", [("h(a) > h(b)", "h(a) < h(b)"), (" < 2)", " >= 2)")]),
    ("output-adam-sign", "plain SGD", [("optim.Adam", "optim.SGD")]),
    ("output-adam-sign", "up the gradient", [("lr=0.1", "lr=0.1, maximize=True")]),
    ("output-augment-eval", "in eval mode as well", [("layer.eval()(x).sum().item()", "(0.1 * 1000)")]),
    ("output-augment-eval", "forgets that the survivors", [("layer.train()(x)", "(0.1 * layer.train()(x))")]),
    (
        "output-epochs-shuffle",
        "every epoch's order",
        [("next(iter(loader)), next(iter(loader))", "[next(iter(loader))] * 2")],
    ),
    ("output-stride-two", "overlooks the stride", [("stride=2", "stride=1")]),
    ("output-stride-two", "number of channels", [("Conv2d(3, 4,", "Conv2d(3, 3,")]),
    ("output-global-pool", "overlooks the pooling", [(", nn.AdaptiveAvgPool2d(1)", "")]),
    ("output-layer-norm-mean", "as batch norm does", [("nn.LayerNorm(2)", "nn.BatchNorm1d(2)")]),
    ("output-layer-norm-mean", "forgets to divide", [("nn.LayerNorm(2)(x)", "(x - x.mean(1, keepdim=True))")]),
    (
        "output-critic-range",
        "wrong way round",
        [("0 <= score <= 1, isinstance(score, float)", "isinstance(score, float), 0 <= score <= 1")],
    ),
    ("output-mu-law-middle", "cuts evenly", [("math.log1p(255 * abs(x)) / math.log(256)", "abs(x)")]),
    ("output-causal-first-row", "masks the present", [("triu(1)", "triu().tril()")]),
    ("output-causal-first-row", "no effect", [("scores.masked_fill(mask, -torch.inf)", "scores")]),
    ("output-causal-first-row", "only itself", [("torch.ones(2, 2).triu(1)", "(1 - torch.eye(2))")]),
    ("output-pitch-octave", "one hertz", [("440 * 2 ** ((p - 69) / 12)", "440.0 + p - 69")]),
    ("output-pitch-octave", "note number", [("440 * 2 ** ((p - 69) / 12)", "float(p)")]),
    ("output-nvidia-cached", "is freed", [("x[0]", "x[0].clone()")]),
    ("output-nvidia-cached", "whole tensor's", [("x[0]", "x[:]")]),
    ("output-nvidia-cached", "counts elements", [("part.nbytes", "part.numel()"), ("nbytes())", "nbytes() // 4)")]),
    ("output-ema-start", "starts at 0", [("average = 0.0", "average = 1.0")]),
    ("output-ema-start", "old value fade", [("0.9 * average", "average")]),
    ("output-ema-start", "still missing", [("{average", "{1 - average")]),
    ("output-null-equals", "wrong way round", [('x = NULL"), count("x IS', 'x IS NULL"), count("x =')]),
    ("output-null-equals", "differs from 1", [("x <> 1", "x IS NOT 1")]),
    ("output-null-equals", "ordinary value", [("x = NULL", "x IS NULL"), ("x <> 1", "x IS NOT 1")]),
    ("output-curve-reading", "last epoch", [("validation.index(min(validation))", "len(validation) - 1")]),
    ("output-curve-reading", "highest loss", [("min(", "max(")]),
    ("output-lock-and-loose", "includes the upper", [("< (3,)", "<= (3, 0)")]),
    ("output-lock-and-loose", "excludes the lower", [("(2, 6) <= v", "(2, 6) < v")]),
    ("output-lock-and-loose", "as decimal", [("(2, 6) <= v < (3,)", '2.6 <= float(f"{v[0]}.{v[1]}") < 3')]),
    ("output-backprop-two-paths", "factor 2", [("z = y * y", "z = y * y / 2")]),
    ("output-backprop-two-paths", "stops at y", [("z.backward", "y.retain_grad(); z.backward"), ("x.grad", "y.grad")]),
    ("output-backprop-two-paths", "leaves the square out", [("z = y * y", "z = y")]),
    ("shape-after-unsqueeze", "overlooks expand", [(".expand(-1, 3, -1)", "")]),
    ("shape-after-unsqueeze", "in front", [("(1).expand(-1, 3, -1)", "(0).expand(3, -1, -1)")]),
    ("shape-of-outer-difference", "rows and columns", [("a[:, None] - b", "b[:, None] - a")]),
    ("shape-of-outer-difference", "b stretches", [(" - b", "")]),
    ("shape-of-gather", "shape of the input", [(".gather(1, index)", "")]),
    ("shape-of-flatten-from-two", "overlooks the transpose", [(".transpose(1, 2)", "")]),
    ("shape-of-flatten-from-two", "the channels as well", [("flatten(2).transpose(1, 2)", "flatten(1)")]),
    ("number-of-elements", "one example", [("zeros(4,", "zeros(1,")]),
    ("sum-of-a-range", "that stays", [("sum(1)", "sum(0)")]),
    ("sum-of-a-range", "over everything", [("sum(1)", "sum()")]),
    ("bytes-of-a-batch", "elements instead", [(".nbytes", ".numel()")]),
    ("bytes-of-a-batch", "is a float32", [("float16", "float32")]),
    ("value-of-einsum", "without summing", [("i,i->", "i,i->i"), (".item()", ".tolist()")]),
    ("gradient-of-a-product", "gives the value", [("x.grad", "(x**2 * 2 + x)")]),
    ("gradient-of-a-product", "linear term", [(" * 2 + x)", " * 2)")]),
    ("gradient-of-a-mean", "divides by 4", [(".mean()", ".sum()")]),
    ("second-derivative", "first derivative", [("torch.autograd.grad(g, x)[0]", "g")]),
    ("second-derivative", "value of x", [("torch.autograd.grad(g, x)[0]", "(x**4)")]),
    ("weights-of-784-128-10", "forgets the biases", [("128),", "128, bias=False),"), ("10))", "10, bias=False))")]),
    ("clipped-norm", "overlooks the clipping", [("torch.nn.utils.clip_grad_norm_([w], max_norm=5.0)\n", "")]),
    ("clipped-norm", "clip_grad_value_", [("norm_([w], max_norm", "value_([w], clip_value")]),
    ("loss-of-ten-classes", "base 2", [(".item():", ".item() / 0.6931471805599453:")]),
    ("l1-of-three", "sums;", [("3.0]))", '3.0]), reduction="sum")')]),
    ("l1-of-three", "of the squares", [("l1_loss", "mse_loss")]),
    ("bits-of-eight", "gives nats", [("log2", "log")]),
    ("perplexity-of-a-half", "without exp", [(".mean().exp()", ".mean()")]),
    ("two-sgd-steps", "one step only", [("range(2)", "range(1)")]),
    ("dropout-survivor", "scaled up", [("training=True", "training=False")]),
    ("decayed-weight", "without a gradient", [("weight_decay=0.2", "weight_decay=0.0")]),
    ("batches-of-an-epoch", "drops the last", [("batch_size=128", "batch_size=128, drop_last=True")]),
    ("conv-then-pool", "overlooks the pooling", [(", nn.MaxPool2d(2)", "")]),
    ("conv-then-pool", "loses 4 pixels", [("16, 5)", "16, 5, padding=2)")]),
    ("strided-conv-shape", "overlooks the stride", [("stride=2", "stride=1")]),
    ("dilated-kernel-on-28", "overlooks the dilation", [("dilation=2", "dilation=1")]),
    ("in-features-of-the-head", "forgets the pixels", [(".flatten(1).shape", ".shape")]),
    ("in-features-of-the-head", "forgets the channels", [(".flatten(1).shape[1]", "[0, 0].numel()")]),
    ("running-mean-typed", "on the old value", [("BatchNorm1d(1)", "BatchNorm1d(1, momentum=0.9)")]),
    ("running-mean-typed", "last batch's mean", [("BatchNorm1d(1)", "BatchNorm1d(1, momentum=1.0)")]),
    ("equilibrium-loss", "one of the two", [(" + bce(z, 0 * one)", "")]),
    ("ten-dilated-layers", "present sample", [("1 + sum", "sum")]),
    ("ten-dilated-layers", "overlooks the dilations", [("2**i", "1")]),
    ("attention-weights-shape", "wrong way round", [("q @ k.t", "k @ q.t")]),
    ("frames-of-a-second", "center=True", [(", return_complex", ", center=False, return_complex")]),
    ("frames-of-a-second", "mirrored", [(", return_complex", ", onesided=False, return_complex")]),
    ("f1-of-three-cells", "the precision", [("2 * tp / (2 * tp + fp + fn)", "tp / (tp + fp)")]),
    ("f1-of-three-cells", "the recall", [("2 * tp / (2 * tp + fp + fn)", "tp / (tp + fn)")]),
    ("steps-with-accumulation", "every batch", [("(i + 1) % 4 == 0", "True")]),
    ("rows-after-a-join", "left join", [("a JOIN", "a LEFT JOIN")]),
    ("rows-after-a-join", "with every row", [(" JOIN b USING (k)", ", b")]),
]
"""Question, a piece of a reason, and how somebody with this misconception reads the code."""


@pytest.mark.parametrize(("name", "reason", "misread"), MISREAD, ids=[f"{name}: {why}" for name, why, _ in MISREAD])
def test_code_read_with_the_misconception_prints_the_wrong_answer(
    name: str, reason: str, misread: list[tuple[str, str]]
) -> None:
    question = ask_fixed(BANK[name], 0)
    wrong = question.slips if question.kind is Kind.TYPED else zip(question.options, question.reasons, strict=True)
    (answer,) = [option for option, why in wrong if reason in why]
    believed = question.code
    for shown, taken_for in misread:
        assert shown in believed, believed
        believed = believed.replace(shown, taken_for)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        printed = run_snippet(believed)
    assert printed == answer or same_answer(answer, printed), (believed, printed)
