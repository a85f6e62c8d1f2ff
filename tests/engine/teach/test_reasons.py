"""A reason for a wrong option is true of the numbers that it stands beside."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Iterator

import pytest
import torch

from engine.errors import Internal
from engine.teach.questions import GENERATORS
from engine.teach.questions.question import Draft, Generator, Mistake, Question, clash, compose
from engine.teach.snippets import run_snippet

BY_NAME = {generator.name: generator for generator in GENERATORS}


def asked(name: str, seeds: int) -> Iterator[Question]:
    for seed in range(seeds):
        yield compose(BY_NAME[name], seed)


def reasons_of(question: Question) -> dict[str, str]:
    return {option: why for option, why in zip(question.options, question.reasons, strict=True) if why}


def generator_of(draft: Draft) -> Generator:
    return Generator("made-up", "tensors", "tensor-shape", lambda rng: draft)


def test_a_mistake_whose_reason_does_not_hold_is_no_option() -> None:
    mistakes = [Mistake("3", "guesses"), Mistake("4", "guesses"), Mistake("5", "rounds a tie", holds=False)]
    question = compose(generator_of(Draft("2?", "print(2)", "2", "so it is.", mistakes)), 0)
    assert sorted(question.options) == ["2", "3", "4"]


def test_a_mistake_is_left_out_where_its_reason_leads_elsewhere() -> None:
    misread = [("+", "*")]
    mistakes = [Mistake("3", "guesses"), Mistake("4", "guesses"), Mistake("9", "multiplies", instead=misread)]
    question = compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0)
    assert "9" not in question.options, "2 * 3 is not 9"
    mistakes[-1] = Mistake("6", "multiplies", instead=misread)
    assert "6" in compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0).options


def test_a_mistake_that_misreads_code_that_is_not_there_is_a_fault_of_the_generator() -> None:
    mistakes = [Mistake("6", "multiplies", instead=[("-", "*")]), Mistake("4", "guesses"), Mistake("3", "guesses")]
    with pytest.raises(Internal, match="isn't shown"):
        compose(generator_of(Draft("2 + 3?", "print(2 + 3)", "5", "so it is.", mistakes)), 0)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_every_wrong_option_has_a_reason_and_the_right_one_has_none(generator: Generator) -> None:
    for seed in range(8):
        question = compose(generator, seed)
        assert [bool(why) for why in question.reasons] == [i != question.correct for i in range(len(question.options))]
        assert all(not why.endswith(".") for why in question.reasons)


def test_half_precision_speaks_of_a_nearer_number_only_where_one_is_nearer() -> None:
    ties = 0
    for question in asked("half-precision", 300):
        value = float(re.search(r"tensor\(([\d.]+),", question.code)[1])
        right = float(question.answer)
        for option, why in reasons_of(question).items():
            if "nearer" in why:
                assert abs(right - value) < abs(float(option) - value), (question.code, option, why)
            if "tie" in why:
                ties += 1
                assert abs(right - value) == abs(float(option) - value) > 0, (question.code, option, why)
            if "kept exactly;" in why or "can be kept exactly" in why:
                assert right == value
    assert ties > 5


def test_nobody_overlooks_no_grad_where_it_changes_nothing() -> None:
    seen = 0
    for question in asked("requires-grad-flow", 300):
        without = question.code.replace("with torch.no_grad():\n    ", "")
        for option, why in reasons_of(question).items():
            if "no_grad() around a" in why and "and" not in why:
                seen += 1
                assert run_snippet(without) == option
        assert without == question.code or run_snippet(without) != question.answer
    assert seen > 20


def test_a_sampler_hands_examples_out_twice_only_where_the_division_leaves_a_rest() -> None:
    for question in asked("samples-of-a-rank", 200):
        n, ranks = map(int, re.search(r"range\((\d+)\), num_replicas=(\d+)", question.code).groups())
        assert ("twice" in question.explanation) == (n % ranks != 0)
        assert ("comes out even, so" in question.explanation) == (n % ranks == 0)


def test_the_moving_average_of_the_momentum_question_is_one() -> None:
    seen = 0
    for question in asked("sgd-with-momentum", 60):
        rate, momentum = map(float, re.search(r"lr=([\d.]+), momentum=([\d.]+)", question.code).groups())
        gradient, steps = (
            float(re.search(r"grad = torch.tensor\(([\d.]+)", question.code)[1]),
            int(re.search(r"range\((\d)\)", question.code)[1]),
        )
        w = v = torch.tensor(0.0, dtype=torch.float64)
        for _ in range(steps):
            v = torch.lerp(v, torch.tensor(gradient, dtype=torch.float64), 1 - momentum)
            w = w - rate * v
        for option, why in reasons_of(question).items():
            if "moving average" in why:
                seen += 1
                assert float(option) == pytest.approx(w.item(), abs=1e-3)
    assert seen > 10


def test_a_relu_has_no_slope_below_zero() -> None:
    for question in asked("sigmoid-gradient", 80):
        x = float(re.search(r"tensor\((-?[\d.]+),", question.code)[1])
        for option, why in reasons_of(question).items():
            if "slope of a ReLU" in why:
                assert float(option) == (1.0 if x > 0 else 0.0)


def test_nobody_reverses_or_transposes_what_is_not_transposed() -> None:
    for question in asked("transpose-then-flatten", 80):
        for why in reasons_of(question).values():
            assert "transpose" not in why or ".t()" in question.code, (question.code, why)


def test_nobody_joins_outer_lengths_of_matrices_that_fit() -> None:
    for question in asked("matmul-shape", 80):
        for option, why in reasons_of(question).items():
            if "without comparing" in why:
                assert question.answer == "RuntimeError", option


def test_promotion_lets_types_meet_that_cannot_hold_each_other() -> None:
    met = {question.answer for question in asked("dtype-promotion", 400) if "so they meet" in question.explanation}
    assert met == {"torch.float32", "torch.int16"}


BELIEFS = [
    ("conv-output-shape", "overlooks the stride", [(r"stride=\d", "stride=1")]),
    ("conv-output-shape", "dilation widens", [(r"dilation=\d", "dilation=1")]),
    ("conv-parameters", "forgets the biases", [(r"kernel_size=(\d)", r"kernel_size=\1, bias=False")]),
    ("conv-parameters", "switched off", [(r", bias=False", "")]),
    ("conv-parameters", "overlooks the groups", [(r", groups=\d", "")]),
    ("conv-macs", "counts FLOPs", [(r" // 2\)", ")")]),
    ("receptive-field", "overlooks the dilation", [(r"dilation=\d", "dilation=1")]),
    ("receptive-field", "makes all later layers", [(r"stride=\d", "stride=1")]),
    ("transposed-conv-size", "overlooks output_padding", [(r"output_padding=1", "output_padding=0")]),
    ("flatten-features", "without padding loses", [(r"padding=0", "padding=1")]),
    ("mlp-parameters", "forgets the biases", [(r"nn\.Linear\((\d+), (\d+)\)", r"nn.Linear(\1, \2, bias=False)")]),
    ("mlp-parameters", "switched off", [(r", bias=False", "")]),
    ("reduction-shape", "overlooks keepdim", [(r", keepdim=True", "")]),
    ("reduction-shape", "only keepdim=True does", [(r"dim=(-?\d)", r"dim=\1, keepdim=True")]),
    ("reduction-shape", "as without dim", [(r"\(dim=.*?\)\.shape", "().shape")]),
    ("tensor-bytes", "counts elements", [(r" \* x.element_size\(\)", "")]),
    ("tensor-bytes", "is a float32", [(r"torch\.(bool|uint8|float16|bfloat16|int64|float64)\)", "torch.float32)")]),
    ("gradients-accumulate", "overwrites .grad", [(r"(    loss = )", r"    w.grad = None\n\1")]),
    ("gradients-accumulate", "is cleared in the loop", [(r"    w.grad = None\n", "")]),
    ("detached-factor", "as if nothing were detached", [(r"\.detach\(\)", "")]),
    (
        "clipped-gradient",
        "clip_grad_value_",
        [(r"clip_grad_norm_\(\[a, b\], max_norm", "clip_grad_value_([a, b], clip_value")],
    ),
    ("clipped-gradient", "the other parameter", [(r"a\.grad\.item", "b.grad.item")]),
    (
        "sigmoid-gradient",
        "function's value",
        [(r"x\.grad\.item\(\)", "(x.sigmoid() if 'sigmoid' in 'FN' else x.tanh()).item()")],
    ),
    ("softmax-with-temperature", "leaves the temperature out", [(r"logits / [\d.]+", "logits")]),
    ("softmax-with-temperature", "multiplies by the temperature", [(r"logits / ", "logits * ")]),
    ("softmax-with-temperature", "the other class", [(r"p\[0\]", "p[1]")]),
    ("squared-error-reduction", "sums; the default", [(r", target\)", ', target, reduction="sum")')]),
    ("squared-error-reduction", "takes the mean although", [(r', reduction="sum"', "")]),
    (
        "cross-entropy-of-logits",
        "applies softmax twice",
        [(r"cross_entropy\(logits", "cross_entropy(logits.softmax(1)")],
    ),
    ("binary-cross-entropy", "applies the sigmoid twice", [(r"logits\(z,", "logits(z.sigmoid(),")]),
    ("kl-direction", "other way round", [(r"q\.log\(\), p,", "p.log(), q,")]),
    ("kl-direction", "number of outcomes", [(r"batchmean", "mean")]),
    ("perplexity-of-tokens", "average first", [(r"nll\.mean\(\)\.exp\(\)", "nll.exp().mean()")]),
    ("entropy-in-bits", "gives nats", [(r"p\.log2\(\)", "p.log()")]),
    ("sgd-with-momentum", "leaves the momentum out", [(r"momentum=[\d.]+", "momentum=0.0")]),
    ("adam-first-step", "plain SGD", [(r"optim\.Adam", "optim.SGD")]),
    ("weight-decay-step", "leaves the decay out", [(r"weight_decay=[\d.]+", "weight_decay=0.0")]),
    ("weight-decay-step", "other optimiser", [(r"optim\.(SGD|AdamW)", "OTHER")]),
    ("gradient-descent-steps", "one step only", [(r"range\(\d\)", "range(1)")]),
    ("gradient-descent-steps", "up the gradient", [(r"SGD\(\[w\], ", "SGD([w], maximize=True, ")]),
    ("scheduled-rate", "as ExponentialLR does", [(r"StepLR\(optimizer, step_size=\d, ", "ExponentialLR(optimizer, ")]),
    ("dropout-output", "although the layer is in eval", [(r"\.eval\(\)", ".train()")]),
    ("dropout-output", "scaled up in training", [(r"\.train\(\)", ".eval()")]),
    ("batch-count", "only drop_last=True does", [(r"(batch_size=\d+)\)", r"\1, drop_last=True)")]),
    ("batch-count", "keeps the incomplete", [(r", drop_last=True", "")]),
    ("padded-batch-shape", "overlooks batch_first", [(r", batch_first=True", "")]),
    ("lstm-shape", "takes the time for the batch", [(r", batch_first=True", "")]),
    ("dilated-receptive-field", "overlooks the dilations", [(r"dilation=d", "dilation=1")]),
    ("causal-output", "flips the kernel", [(r", kernel, dilation", ", kernel.flip(2), dilation")]),
    ("attention-parameters", "forgets the biases", [(r"(num_heads=\d+)", r"\1, bias=False")]),
    ("causal-mask-count", "from seeing itself", [(r"tril\(\)", "tril(-1)")]),
    ("running-mean", "last batch's mean only", [(r"momentum=[\d.]+", "momentum=1.0")]),
    ("gram-entry", "Fᵀ F", [(r"features @ features\.T", "features.T @ features")]),
    ("confusion-cell", "rows and columns exchanged", [(r"true \* 3 \+ predicted", "predicted * 3 + true")]),
    ("samples-of-a-rank", "drops the rest", [(r", rank=0", ", rank=0, drop_last=True")]),
    ("optimiser-steps", "after every batch", [(r"\(i \+ 1\) % \d == 0", "True")]),
    ("strides", "leaves the strides", [(r"\.permute\(.*?\)\.stride", ".stride")]),
    ("spectrogram-shape", "center=True", [(r", return_complex", ", center=False, return_complex")]),
    ("critic-loss", "sign reversed", [(r"fake\.mean\(\) - real\.mean\(\)", "real.mean() - fake.mean()")]),
    ("gradient-penalty", "forgets the weight", [(r"penalty = \d+ \* ", "penalty = ")]),
    ("adain-value", "keeps the content's mean", [(r"/ sx \+ y\.mean", "/ sx + x.mean")]),
    ("index-shape", "dots as one colon", [(r"x\[\.\.\., ", "x[:, ")]),
    ("index-shape", "None take the place", [(r"x\[:, None\]", "x[:, :1]")]),
    ("index-shape", "slices the last dimension", [(r"x\[:, -1:\]", "x[..., -1:]")]),
    ("index-shape", "applies the first list only", [(r"\[\[0, 1\], \[1, 0\]\]", "[[0, 1]]")]),
    ("reduction-shape", "dimension that stays", [(r"dim=(-?\d)", r"dim=tuple({0, 1, 2} - {\1 % 3})")]),
    ("gradients-accumulate", "loss instead of its gradient", [(r"w\.grad\.item", "loss.item")]),
    ("dilated-receptive-field", "last layer only", [(r"for d in dilations\]", "for d in dilations[-1:]]")]),
    (
        "huber-value",
        "straight line within",
        [(r"F\.huber_loss\(torch\.tensor\((.*?)\), .*?, delta=(.*?)\)", r"torch.tensor(\2 * (\1 - \2 / 2))")],
    ),
    (
        "residual-block-parameters",
        "biases that the convolutions don't have",
        [(r"\(\)\)\)$", "()) + sum(m.out_channels for m in block.modules() if isinstance(m, nn.Conv2d)))")],
    ),
    ("midi-frequency", "middle C", [("69", "60")]),
    ("midi-frequency", "eight steps", [("/ 12", "/ 8")]),
    ("midi-frequency", "equal steps in Hz", [(r"2 \*\* \(\((.*?)\) / 12\)", r"(1 + (\1) / 12)")]),
    ("area-under-curve", "wrong way round", [("positive, negative =", "negative, positive =")]),
    ("attention-output", "same weight", [(r"scores\[:, 2\] = .*\n", ""), (r"\[\[100\.0\]\]", "[[0.0]]")]),
    (
        "generator-gradient",
        "leaves out the sigmoid",
        [
            (r"torch\.sigmoid\(z\)", "d"),
            ("z.grad", "d.grad"),
            ("loss =", "d = z.sigmoid().detach().requires_grad_()\nloss ="),
        ],
    ),
    ("state-dict-size", "forgets the buffers", [(r"net\.state_dict\(\)", "list(net.parameters())")]),
]
"""Generator, a piece of a reason, and how somebody with this misconception reads the shown code."""


@pytest.mark.parametrize(("name", "reason", "misread"), BELIEFS, ids=[f"{name}: {why}" for name, why, _ in BELIEFS])
def test_code_read_with_the_misconception_prints_the_wrong_option(
    name: str, reason: str, misread: list[tuple[str, str]]
) -> None:
    seen = 0
    for question in asked(name, 40):
        for option, why in reasons_of(question).items():
            if reason not in why:
                continue
            believed = question.code
            for pattern, taken_for in misread:
                other = "optim.AdamW" if "optim.SGD" in question.code else "optim.SGD"
                function = "sigmoid" if "torch.sigmoid" in question.code else "tanh"
                believed = re.sub(pattern, taken_for.replace("OTHER", other).replace("FN", function), believed)
            assert believed != question.code, (question.code, why)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch warns of some of these misconceptions
                printed = run_snippet(believed)
            assert printed == option or clash(printed, option), (believed, why, printed, option)
            seen += 1
    assert seen >= 3, "the reason is hardly ever given"


def test_it_is_said_where_the_default_type_comes_from() -> None:
    for question in asked("dtype-promotion", 120):
        lifted = "torch.int" in question.code or "torch.uint" in question.code
        if " 2.5)" in question.code or ("b = " not in question.code and "/" in question.code):
            assert ("default floating point type" in question.explanation.partition("\n")[0]) == lifted, question


def test_half_precision_has_numbers_between_a_power_of_two_and_what_was_given() -> None:
    seen = 0
    for question in asked("half-precision", 100):
        value, dtype = re.search(r"tensor\(([\d.]+), dtype=torch\.(\w+)\)", question.code).groups()
        for option, why in reasons_of(question).items():
            if "has numbers in between" in why:
                seen += 1
                power = torch.tensor(float(option), dtype=getattr(torch, dtype))
                following = (power.view(torch.int16) + 1).view(power.dtype)
                assert float(option) < following.item() <= float(value), (question.code, why)
    assert seen > 10


def test_a_filter_of_a_grouped_convolution_spans_its_group() -> None:
    for question in asked("conv-parameters", 80):
        channels = int(re.search(r"Conv2d\((\d+)", question.code)[1])
        groups = re.search(r"groups=(\d)", question.code)
        for why in reasons_of(question).values():
            if "filter spans" in why:
                assert ("all input" in why) == (groups is None)
                assert groups is None or f"the {channels // int(groups[1])} input channels of its group" in why


def test_a_count_of_groups_is_named_where_none_is_shown() -> None:
    for question in asked("count-of-statistics", 80):
        pictures = int(re.search(r"randn\((\d+)", question.code)[1])
        for option, why in reasons_of(question).items():
            if "and group" in why:
                assert int(option) == pictures * int(re.search(r"with (\d) groups", why)[1])


def test_a_batch_is_only_called_incomplete_where_one_is() -> None:
    whole = 0
    for question in asked("batch-count", 150):
        n, batch = map(int, re.search(r"range\((\d+)\), batch_size=(\d+)", question.code).groups())
        whole += n % batch == 0
        assert ("the incomplete batch is" in question.explanation.partition("\n")[0]) == (n % batch != 0)
    assert whole > 2


def test_an_option_is_one_of_the_versions() -> None:
    for question in asked("newest-allowed", 60):
        versions = re.search(r"versions = (\[.*?\])", question.code)[1]
        assert all(f"'{option.removeprefix('torch ')}'" in versions for option in question.options)


def test_the_working_of_a_softmax_uses_the_logits_shown() -> None:
    for question in asked("softmax-with-temperature", 60):
        first, second = map(float, re.search(r"tensor\(\[(.*?), (.*?)\]", question.code).groups())
        assert f"exp(({second:g} - {f'({first:g})' if first < 0 else f'{first:g}'})/" in question.explanation


def test_a_story_in_a_question_fits_its_numbers() -> None:
    for question in asked("padded-batch-shape", 60):
        lengths = re.search(r"for n in \[(.*?)\]", question.code)[1].split(", ")
        assert len(set(lengths)) == len(lengths), "they are said to be of different lengths"
    for question in asked("better-sequence", 60):
        assert len(set(re.findall(r"= (0\.\d+)", question.explanation.partition("\n")[0]))) == 2, "two are the best"
    for question in asked("layers-run-again", 60):
        assert "WORKDIR" not in question.code.partition("COPY")[2], "what was copied before lies elsewhere"
    for question in asked("workers-needed", 60):
        assert all(int(option) > 0 for option in question.options), "nobody starts 0 workers"
    for question in asked("seeded-draws", 20):
        assert question.code.count("draw(") != 1, "a function that nobody calls"
    for question in asked("lstm-shape", 40):
        assert "(h.shape" in question.code or not any("turns the state" in why for why in question.reasons)


def drafts(name: str, seeds: int) -> Iterator[Draft]:
    """What is drawn before the picture is."""
    return (BY_NAME[name].draw(random.Random(seed)) for seed in range(seeds))


def test_pictures_tell_what_the_reasons_say() -> None:
    for draft in drafts("worst-class", 200):
        recalls = sorted(map(float, re.findall(r" (\d\.\d\d)[,.]", draft.because)))
        assert recalls[1] - recalls[0] >= 0.03, "too close to be read off"
    for draft in drafts("confidence-and-accuracy", 100):
        turned = any("wrong way round" in mistake.why for mistake in draft.mistakes)
        assert turned == (draft.worked != "well calibrated"), "calibrated is the same the other way round"
    for draft in drafts("what-happened", 50):
        assert not any("gap that isn't there" in mistake.why for mistake in draft.mistakes), "each has a small gap"


def test_maps_of_different_depth_are_not_said_to_be_added() -> None:
    for question in asked("channels-of-a-skip", 10):
        assert not any("adds the maps" in why for why in question.reasons), "48 and 16 channels can't be added"


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda g: g.name)
def test_code_is_written_as_people_write_it(generator: Generator) -> None:
    for seed in range(6):
        question = compose(generator, seed)
        assert not re.search(r"[\w)\]] [-+]\d[\d.]* [*+/-]", question.code), "a sign stands apart from its number"
        assert "1 + 2 + ... + 3 " not in question.explanation
