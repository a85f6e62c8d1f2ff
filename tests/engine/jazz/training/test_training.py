from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from jazz_solos import made_up_solo

from engine.jazz.model.batches import encode_solos, random_batch
from engine.jazz.model.critic_net import CriticNet, CriticShape, SoftNotes
from engine.jazz.model.perplexity import losses, measure
from engine.jazz.model.rendition_net import RenditionShape
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.model.take_critic import LOOKS, Look, TakeCritic
from engine.jazz.model.weights_file import Weights
from engine.jazz.model.windows import Window
from engine.jazz.playing.matched import matched_clips
from engine.jazz.playing.soloist import Soloist
from engine.jazz.training.adversarial import (
    AdversarialPlan,
    draw_duel,
    explaining_gumbels,
    play_on,
    soft_line,
    train_adversarial,
)
from engine.jazz.training.critic import CriticPlan, encode_clips, train_critic
from engine.jazz.training.fine_tuning import FineTuning, FineTuningPlan, Learner
from engine.jazz.training.likelihood import LikelihoodPlan, train_likelihood
from engine.jazz.training.reweighted import ReweightedPlan, draw_weighed, train_reweighted, weigh
from engine.jazz.training.stage import Group, learning_rate, load_checkpoint, save_checkpoint, total

GROUP = Group(0, 1, torch.device("cpu"))
SOLOS = encode_solos([made_up_solo(seed, notes=120) for seed in range(4)], ("A",))
SHAPE = SoloistShape(width=16, blocks=1, heads=2, performers=1)


def plan(part: str = "notes", **changed: object) -> LikelihoodPlan:
    values = {"part": part, "steps": 6, "batch": 2, "notes": 16, "warmup": 2, "decay": 2, "measure_every": 2, **changed}
    return LikelihoodPlan(**values)


def run(folder: Path, until: int | None = None, **changed: object) -> dict[str, float]:
    return train_likelihood(
        SOLOS, SOLOS[:1], SHAPE, plan(**changed), folder, GROUP, show_progress=False, until=until
    )  # fmt: skip


def test_a_resumed_run_equals_one_that_was_never_interrupted(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    run(tmp_path / "broken", until=3)
    resumed = run(tmp_path / "broken")
    assert resumed == whole
    ours, theirs = (
        load_checkpoint(tmp_path / name / "notes.pt", GROUP.device)["network"] for name in ("whole", "broken")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("part", ["notes", "rendition"])
def test_training_lowers_the_loss(tmp_path: Path, part: str) -> None:
    shape = SHAPE if part == "notes" else RenditionShape(width=16, blocks=1, heads=2, performers=1)
    long = plan(part, steps=40, peak=1e-2, batch=4, measure_every=40, average=0.9)
    short = plan(part, steps=1, measure_every=1)
    after = train_likelihood(SOLOS, SOLOS[:1], shape, long, tmp_path / "long", GROUP, show_progress=False)
    before = train_likelihood(SOLOS, SOLOS[:1], shape, short, tmp_path / "short", GROUP, show_progress=False)
    assert sum(after.values()) < sum(before.values()) - 0.3
    assert (tmp_path / "long" / f"{part}.png").stat().st_size > 1000
    assert (tmp_path / "long" / f"{part}-plateau.pt").exists()


def test_a_checkpoint_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, until=2)
    size = (tmp_path / "notes.pt").stat().st_size

    def power_cut(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("power cut")

    monkeypatch.setattr(torch, "save", power_cut)
    with pytest.raises(OSError, match="power cut"):
        run(tmp_path)
    assert (tmp_path / "notes.pt").stat().st_size == size


def test_the_learning_rate_warms_up_stays_and_decays() -> None:
    rates = [learning_rate(step, 100, 1.0, 10, 20) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:80] == [1.0] * 70
    assert 0 < rates[-1] < 0.06


def test_padding_changes_nothing() -> None:
    network = SoloistNet(SHAPE).eval()
    generator = np.random.default_rng(0)
    batch = random_batch(SOLOS, 2, 16, generator, augment=False)
    from engine.jazz.model.batches import collate

    item = (SOLOS[0], 0, 12, 0, 0)
    tight, loose = collate([item], 12), collate([item], 30)
    a = losses(network, tight)
    b = losses(network, loose)
    assert all(a[name].item() == pytest.approx(b[name].item(), abs=1e-5) for name in a)
    assert measure(network, [batch], "notes").keys() == {"timing", "position", "pitch"}


def test_explaining_noise_explains_what_was_drawn() -> None:
    torch.manual_seed(0)
    logits = torch.randn(500, 9, requires_grad=True)
    chosen = torch.randint(0, 9, (500,))
    noisy = explaining_gumbels(logits, chosen)
    assert (noisy.argmax(-1) == chosen).all()
    assert torch.isfinite(noisy).all()
    # marginally over draws of the class it is Gumbel noise again: mean of the noise is Euler's constant
    flat = torch.zeros(20_000, 4)
    drawn = torch.randint(0, 4, (20_000,))
    assert explaining_gumbels(flat, drawn).mean().item() == pytest.approx(0.5772, abs=0.03)


def test_the_critics_word_reaches_the_soloist_through_the_sampler() -> None:
    torch.manual_seed(0)
    network = SoloistNet(SHAPE).eval()
    critic = CriticNet(CriticShape(width=16, blocks=1, heads=2, notes=16))
    torch.nn.init.normal_(critic.verdict[-1].weight)
    duel = draw_duel(SOLOS, AdversarialPlan(batch=2, heard=4, played=8), np.random.default_rng(0))
    drawn = play_on(network, duel, AdversarialPlan(batch=2, heard=4, played=8), torch.Generator().manual_seed(1))
    assert torch.equal(drawn.pitch[:, :5], duel.human.excerpt.pitch[:, :5])
    network.eval()
    notes = drawn.slice(1, drawn.pitch.shape[1])
    line = soft_line(network, drawn, duel.human, 4, 0.7)
    torch.testing.assert_close(line.pitch, SoftNotes.of(notes).pitch, atol=1e-5, rtol=0)
    critic(line, notes, duel.human.setting.without_player()).sum().backward()
    for question in (network.ask_timing, network.ask_position, network.ask_pitch):
        assert question.answer.weight.grad is not None
        assert question.answer.weight.grad.abs().sum() > 0


def test_critic_and_adversarial_stages_run_and_report(tmp_path: Path, tiny_weights: Weights) -> None:
    run(tmp_path, steps=2)
    solos = [made_up_solo(seed, notes=120) for seed in range(3)]
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:2] = 9.0  # few rests
    clips = matched_clips(Soloist.of(tiny_weights.without("takes")), solos, 6, bars=8, takes=1, batch=6)
    machine = encode_clips(clips)
    assert machine
    shape = CriticShape(width=16, blocks=1, heads=2, notes=16)
    critic_plan = CriticPlan(pretraining=2, steps=2, batch=2, measure_every=2)
    measured = train_critic(
        SOLOS, SOLOS[:1], machine, machine, shape, critic_plan, tmp_path, GROUP, show_progress=False
    )
    assert 0.0 <= measured["auc"] <= 1.0
    duel_plan = AdversarialPlan(steps=2, batch=2, likelihood_batch=2, heard=4, played=6, measure_every=1, max_rise=9.0)
    rise = train_adversarial(
        SOLOS, SOLOS[:1], tmp_path / "notes.pt", tmp_path / "critic.pt", duel_plan, tmp_path, GROUP, show_progress=False
    )["rise"]
    assert abs(rise) < 1.0
    assert load_checkpoint(tmp_path / "adversarial.pt", GROUP.device)["step"] == 2


def fine_tuned(folder: Path, start: Path, interrupt_at: int | None = None, max_rise: float = 9.0) -> dict[str, float]:
    plan = FineTuningPlan(steps=6, weight=0.0, max_rise=max_rise, measure_every=2, peak=1e-3)
    torch.manual_seed(0)
    tuning = FineTuning("tuned", start, plan, folder, GROUP)
    other = Learner(SoloistNet(SHAPE), 1e-3, GROUP)
    steps = iter(range(100))

    def take_step(generator: np.random.Generator) -> dict[str, float]:
        if next(steps) == interrupt_at:
            raise KeyboardInterrupt
        for learner in (tuning.soloist, other):
            network = learner.network
            assert isinstance(network, SoloistNet)
            batch = random_batch(SOLOS, 2, 16, generator)
            learner.learn(total(losses(network, batch)))
        return {"drawn": float(generator.random())}

    return tuning.run(take_step, SOLOS[:1], seed_offset=0, show_progress=False, other=other)


def test_fine_tuning_that_was_interrupted_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    start = tmp_path / "notes.pt"
    whole = fine_tuned(tmp_path / "whole", start)
    with pytest.raises(KeyboardInterrupt):
        fine_tuned(tmp_path / "broken", start, interrupt_at=5)
    assert load_checkpoint(tmp_path / "broken" / "tuned.pt", GROUP.device)["step"] == 4
    assert fine_tuned(tmp_path / "broken", start) == whole
    ours, theirs = (load_checkpoint(tmp_path / name / "tuned.pt", GROUP.device) for name in ("whole", "broken"))
    for name in ("soloist", "other"):
        pair = [state["learners"][name]["network"] for state in (ours, theirs)]
        assert all(torch.equal(pair[0][key], pair[1][key]) for key in pair[0])


def test_fine_tuning_that_forgets_likelihood_stops_and_keeps_what_it_had_before(tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    assert fine_tuned(tmp_path, tmp_path / "notes.pt", max_rise=-1.0)["rise"] == 0.0
    start, kept = (load_checkpoint(tmp_path / f"{name}.pt", GROUP.device) for name in ("notes", "tuned"))
    assert kept["step"] == 0
    assert all(torch.equal(kept["average"][name], start["average"][name]) for name in start["average"])
    assert (tmp_path / "tuned.csv").read_text().count("\n") == 2


class LikesManyNotes(TakeCritic):
    def __init__(self) -> None:
        super().__init__(dict.fromkeys(LOOKS, 1))

    def log_odds(self, windows: Sequence[Window], look: Look) -> np.ndarray:
        return np.array([0.4 * (len(window.pitch) - 30) for window in windows])


def test_what_a_critic_likes_gets_likelier(tmp_path: Path, tiny_weights: Weights) -> None:
    run(tmp_path, steps=2)
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:3] = 6.0
    solos = [made_up_solo(seed, notes=160) for seed in range(4)]

    def notes_played(weights: Weights) -> float:
        clips = matched_clips(Soloist.of(weights.without("takes")), solos, 24, bars=16, seed=8, takes=1, batch=24)
        return float(np.mean([len(clip.improvisation.notes) for clip in clips]))

    clips = matched_clips(Soloist.of(tiny_weights.without("takes")), solos, 40, bars=16, takes=1, batch=40)
    lines = weigh(encode_clips(clips), LikesManyNotes())
    ratios = np.concatenate([line.ratios for line in lines])
    assert len(ratios) == 2 * len(lines)
    assert ratios.mean() <= 1.0 + 1e-6
    batch, weight = draw_weighed(lines, 8, 64, np.random.default_rng(0))
    assert weight.shape == batch.offset.shape
    assert float(weight[batch.offset < 0].abs().sum()) == 0.0

    save_checkpoint(tmp_path / "start.pt", average=tiny_weights.networks["notes"], shape=tiny_weights.shapes["notes"])
    plan = ReweightedPlan(
        steps=50, batch=12, likelihood_batch=1, notes=64, weight=20.0, peak=3e-3, average=0.5, max_rise=1e12
    )
    measured = train_reweighted(
        SOLOS, SOLOS[:1], lines, tmp_path / "start.pt", plan, tmp_path, GROUP, show_progress=False
    )
    assert np.isfinite(measured["rise"])
    learned = load_checkpoint(tmp_path / "reweighted.pt", GROUP.device)
    assert learned["step"] == 50
    networks = {**tiny_weights.networks, "notes": learned["average"]}
    assert notes_played(dataclasses.replace(tiny_weights, networks=networks)) > 1.1 * notes_played(tiny_weights)
