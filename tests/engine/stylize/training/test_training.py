"""Training: the same pictures for the same seed, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.stylize.corpus import (
    SHORT_SIDE_PX,
    Shard,
    build_shard,
    build_shards,
    central_crop,
    decode_for_training,
    is_held_out,
    is_watched,
    picture_files,
)
from engine.stylize.finishing.palette import in_palette, palette_of
from engine.stylize.finishing.stains import without_stains
from engine.stylize.network import Shape, StyleNetwork
from engine.stylize.painter import Painter
from engine.stylize.pictures.reading import ORIENTATION_TAG
from engine.stylize.training import resident as resident_module
from engine.stylize.training.losses import LossWeights, PerceptualLoss, fringe_distance
from engine.stylize.training.modes import MODES, Mode, chosen_modes
from engine.stylize.training.resident import Drawer, resident, softened
from engine.stylize.training.samples import Reports, WatchedPairs
from engine.stylize.training.served import over_drafts
from engine.stylize.training.train import CHECKPOINT, Options, Trainer, main, term_weight
from engine.stylize.weights_file import load_network, network_of_checkpoint, save_network, weights_of
from tests.engine.stylize.training.loss_double import SmallFeatures

TINY = Shape(
    half=8, quarter=8, eighth=8, eighth_blocks=1, sixteenth=8, sixteenth_blocks=1, thirty_second=8,
    thirty_second_blocks=1, style=(8, 8, 8), code=8, full=4,
)  # fmt: skip
MODE = Mode(64, 64, 2, 1.0)
CPU = torch.device("cpu")


@pytest.fixture
def shards(tmp_path: Path) -> tuple[Shard, Shard]:
    generator = np.random.default_rng(0)
    for kind in ("photos", "paintings"):
        (tmp_path / kind).mkdir()
        for number in range(4):
            size = (80 + 10 * number, 100)
            pixels = generator.integers(0, 255, size=(*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / kind / f"{number}.png")
    return tuple(
        build_shard(picture_files(tmp_path / kind), tmp_path / "shards" / kind, workers=1)
        for kind in ("photos", "paintings")
    )  # type: ignore[return-value]


def trainer(options: Options) -> Trainer:
    return Trainer(options, CPU, small_loss(), TINY)


def small_loss() -> PerceptualLoss:
    return PerceptualLoss(SmallFeatures(), SmallFeatures(), LossWeights(), described=24)  # type: ignore[arg-type]


def drawer(shards: tuple[Shard, Shard], seed: int = 0, rank: int = 0, modes: tuple[Mode, ...] = (MODE,)) -> Drawer:
    return Drawer(*(resident(shard, CPU) for shard in shards), modes, seed, CPU, rank)  # type: ignore[arg-type]


def run(options: Options, shards: tuple[Shard, Shard], resume: bool = False) -> Trainer:
    options.out.mkdir(exist_ok=True)
    one = trainer(options)
    if resume:
        one.resume(options.out / CHECKPOINT)
    one.run(drawer(shards, options.seed), Reports(options.out, options.report_steps, pairs=None))
    return one


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    options = Options(out=tmp_path / "whole", steps=4, warm_up_steps=2, report_steps=2, plateau=0.6, bfloat16=False)
    whole = run(options, shards)
    run(replace(options, out=tmp_path / "parts", steps=2), shards)
    parts = run(replace(options, out=tmp_path / "parts"), shards, resume=True)
    assert parts.step == whole.step == 4
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(parts.network.state_dict()[name], value, atol=0, rtol=0)
        torch.testing.assert_close(parts.average.weights[name], whole.average.weights[name], atol=0, rtol=0)
    assert (tmp_path / "whole" / "loss.csv").read_text().count("\n") == 3


def test_a_resumed_run_writes_no_number_below_another_columns_name(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    options = Options(out=tmp_path / "run", steps=1, report_steps=1)
    run(options, shards)
    older = "step,loss,a_term_of_old\n1,2.5,0.5\n"
    (options.out / "loss.csv").write_text(older)
    run(replace(options, steps=2), shards, resume=True)
    assert (options.out / "loss-until-000002.csv").read_text() == older
    header, *rows = (options.out / "loss.csv").read_text().splitlines()
    assert "consistency" in header
    assert [row.split(",")[0] for row in rows] == ["2"]
    run(replace(options, steps=3), shards, resume=True)
    assert len((options.out / "loss.csv").read_text().splitlines()) == 3


def test_a_new_run_starts_from_shipped_weights(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    options = Options(out=tmp_path / "first", steps=2, bfloat16=False)
    first = run(options, shards)
    save_network(first.network, tmp_path / "first.safetensors")
    second = trainer(replace(options, seed=9))
    second.start_from(weights_of(tmp_path / "first.safetensors"))
    assert second.step == 0
    for name, value in first.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(second.average.weights[name], second.network.state_dict()[name], atol=0, rtol=0)


def test_training_lowers_the_loss_on_one_batch(shards: tuple[Shard, Shard], tmp_path: Path) -> None:
    options = Options(out=tmp_path, warm_up_steps=1, rate=3e-3)
    one = trainer(options)
    batch = drawer(shards).batch(0, MODE)
    losses = [float(one.train_step(batch)["loss"]) for _ in range(25)]
    assert min(losses[-3:]) < 0.85 * losses[0]


def test_what_members_get_is_trained_on(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    """A served step paints over drafts, and no camera moves; of the others, every second one moves it."""
    modes = Mode(208, 208, 1, 1.0), Mode(208, 208, 1, 1.0, served=True)  # large enough for a smaller draft
    options = Options(out=tmp_path / "run", modes=modes, moved_every=2, bfloat16=False)
    one = trainer(options)
    batches = drawer(shards, modes=modes)
    found = [one.train_step(batches.batch(step, modes[0])) for step in range(2)]
    assert [float(terms["consistency"]) > 0 for terms in found] == [True, False]
    plain, served = (trainer(options).train_step(batches.batch(0, modes[number]), number) for number in (0, 1))
    assert float(served["consistency"]) == 0
    assert all(float(terms["not_finite"]) == 0 for terms in (*found, served))
    assert abs(float(served["style"]) - float(plain["style"])) > 0.01 * float(plain["style"])


def test_a_picture_is_painted_in_training_as_a_painter_does() -> None:
    torch.manual_seed(0)
    network = StyleNetwork(TINY).eval()
    photo, style = torch.rand(1, 3, 256, 256), torch.rand(1, 3, 256, 256)
    painted, _ = network(*over_drafts(network, photo, style))
    picture = without_stains(painted, photo)
    painter = Painter(network, CPU, tile_px=1024, bfloat16=False)
    of_painter = painter.paint(photo, partial(painter.encode_style, style))
    torch.testing.assert_close(in_palette(picture.detach(), palette_of(style)), of_painter, atol=1e-4, rtol=0)


def test_what_comes_off_as_a_stain_teaches_nothing() -> None:
    """On an even photo a wide cloud of colour comes off: no gradient asks for more or less of it. What is as narrow as
    a stroke stays, and learns."""
    photo = torch.full((1, 3, 512, 512), 0.5)
    painted = torch.full_like(photo, 0.4)
    painted[:, :, 128:384, 128:384] += 0.1
    painted.requires_grad_()
    settled = without_stains(painted, photo)
    wide, narrow = torch.zeros_like(photo), torch.zeros_like(photo)
    wide[:, :, 192:320, 192:320] = 1
    wide[:, :, 32:64, 32:480] = -wide.sum() / 3 / (32 * 448)
    narrow[:, :, 240:244, 192:320], narrow[:, :, 244:248, 192:320] = 1, -1
    felt = []
    for pattern in (wide, narrow):
        (gradient,) = torch.autograd.grad((settled * pattern).sum(), painted, retain_graph=True)
        felt.append(float((gradient * pattern).sum() / pattern.square().sum()))
    assert felt[0] < 0.35
    assert felt[1] > 0.9


def test_a_new_run_takes_over_what_fits_of_another_network(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    other = StyleNetwork(replace(TINY, eighth_blocks=2, code=16))
    one = trainer(Options(out=tmp_path))
    one.start_from(other.state_dict())
    taken = one.network.state_dict()
    assert torch.equal(taken["content_encoder.to_half.weight"], other.state_dict()["content_encoder.to_half.weight"])
    assert taken["modulate.weight"].shape[1] == 8
    assert torch.equal(one.average.weights["rgb.weight"], taken["rgb.weight"])


def test_the_learning_rate_warms_up_rests_and_decays() -> None:
    options = Options(out=Path(), rate=1.0, warm_up_steps=100, plateau=0.4)
    assert options.rate_at(0, 0.0) == pytest.approx(0.01)
    assert options.rate_at(500, 0.39) == 1.0
    assert options.rate_at(900, 0.7) == pytest.approx(0.5)
    assert options.rate_at(999, 1.0) == pytest.approx(0.01)


def test_a_run_ends_settled_when_its_time_is_over(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    one = run(Options(out=tmp_path / "run", steps=10**6, budget_s=1e-3, report_steps=1), shards)
    assert one.step == 1
    assert one.part >= 1
    assert torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["step"] == 1


def test_a_small_machine_leaves_out_large_steps_and_takes_smaller_batches() -> None:
    assert chosen_modes(1024, 1.0) == MODES
    small = chosen_modes(384, 0.2)
    assert [(mode.size_px, mode.style_px, mode.count) for mode in small] == [(256, 256, 4), (384, 384, 2)]
    assert chosen_modes(128, 1.0) == ()


def test_a_served_run_paints_large_pictures_as_members_get_them_too() -> None:
    assert not any(mode.served for mode in chosen_modes(1024, 1.0))
    kinds = {(mode.size_px, mode.served) for mode in chosen_modes(1024, 1.0, served=True)}
    assert {(size_px, served) for size_px in (512, 768, 1024) for served in (False, True)} < kinds
    assert not any(mode.served for mode in chosen_modes(384, 1.0, served=True))


def test_batches_depend_on_seed_step_and_process_alone(shards: tuple[Shard, Shard]) -> None:
    first, again, other = (drawer(shards, seed=5, rank=rank) for rank in (0, 0, 1))
    for a, b in zip(first.batch(7, MODE).tensors(), again.batch(7, MODE).tensors(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.batch(7, MODE).content, other.batch(7, MODE).content)
    assert not torch.equal(first.batch(7, MODE).content, first.batch(8, MODE).content)
    modes = drawer(shards, modes=(MODE, Mode(96, 64, 1, 3.0)))
    assert [modes.mode(step) for step in range(9)] == [modes.mode(step) for step in range(9)]
    assert 0.6 < sum(modes.mode(step) for step in range(400)) / 400 < 0.9


def test_the_perturbed_copies_are_the_photos_as_a_moved_camera_sees_them(
    shards: tuple[Shard, Shard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident_module, "MOST_SOFTENED", 0.0)
    monkeypatch.setattr(resident_module, "NOISE_SD", 0.0)
    whole = 0
    for step in range(6):
        batch = drawer(shards, seed=5).batch(step, MODE)
        assert batch.perturbed.shape == batch.content.shape
        for photo, moved, motion, exact in zip(batch.content, batch.perturbed, batch.motion, batch.exact, strict=True):
            if exact:
                right, down = int(motion[1]), int(motion[2])
                back = torch.roll(photo, (-down, -right), (1, 2))[:, 10:-10, 10:-10]
                assert float((moved[:, 10:-10, 10:-10] - back).abs().mean()) < 0.01
                whole += 1
    assert whole > 2


def test_the_perturbed_copies_are_softer_each_time_by_another_amount(
    shards: tuple[Shard, Shard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident_module, "NOISE_SD", 0.0)
    monkeypatch.setattr(resident_module, "MOST_ZOOMED", 0.0)
    lost = []
    for step in range(6):
        batch = drawer(shards, seed=5).batch(step, MODE)
        grain = [float(pictures.diff(dim=3).abs().mean()) for pictures in (batch.content, batch.perturbed)]
        lost.append(grain[1] / grain[0])
    assert min(lost) < 0.97
    assert max(lost) - min(lost) > 0.05


def test_softened_pictures_take_from_their_neighbours() -> None:
    stripes = torch.zeros(1, 3, 8, 8)
    stripes[..., ::2] = 1
    assert torch.equal(softened(stripes, 0.0), stripes)
    assert torch.equal(softened(stripes, 0.25), torch.full_like(stripes, 0.5))


def test_shards_give_back_the_pictures_and_leave_out_what_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.new("RGB", (2000, 900), "red").save(folder / "b.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    shard = build_shard(picture_files(folder), tmp_path / "cache" / "all", workers=1)
    assert len(shard) == 2
    assert np.array_equal(shard[0], pixels)
    assert min(shard[1].shape[:2]) == SHORT_SIDE_PX
    changed = (tmp_path / "cache" / "all.u8").stat().st_mtime_ns
    build_shard(picture_files(folder), tmp_path / "cache" / "all", workers=1)
    assert (tmp_path / "cache" / "all.u8").stat().st_mtime_ns == changed


def test_training_watched_and_evaluated_pictures_never_meet(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for number in range(120):
        Image.new("RGB", (70, 70), (number, 0, 0)).save(folder / f"{number}.png")
    shards = build_shards(folder, tmp_path / "cache", "p", workers=1)
    train, watched = ({folder / Path(entry.name).name for entry in shard.entries} for shard in shards)
    evaluated = {path for path in picture_files(folder) if is_held_out(path)} - watched
    assert min(len(train), len(watched), len(evaluated)) > 0
    assert len(train) + len(watched) + len(evaluated) == len(train | watched | evaluated) == 120
    assert not any(is_watched(path) for path in evaluated)
    many = [Path("photos") / f"{number}.jpg" for number in range(5000)]
    held_out = [path for path in many if is_held_out(path)]
    assert 0.08 < len(held_out) / len(many) < 0.12
    assert 0.44 < sum(map(is_watched, held_out)) / len(held_out) < 0.56


def test_a_large_copy_stands_on_the_side_of_the_picture_that_it_repeats(tmp_path: Path) -> None:
    """Or training would look at what evaluation judges, larger."""
    (tmp_path / "paintings").mkdir()
    small = [f"paintings/nst/{number}.jpg" for number in range(200)]
    rows = [f"paintings/q{number}.jpg,larger copy of {of}" for number, of in enumerate(small)]
    (tmp_path / "manifest.csv").write_text("\n".join(["file,note", *rows, "paintings/own.jpg,"]))
    for number, of in enumerate(small):
        copy = tmp_path / "paintings" / f"q{number}.jpg"
        assert is_held_out(copy) == is_held_out(Path("elsewhere") / of)
        assert is_watched(copy) == is_watched(Path("elsewhere") / of)
    assert any(is_held_out(tmp_path / "paintings" / f"q{number}.jpg") for number in range(200))
    assert is_held_out(tmp_path / "paintings" / "own.jpg") == is_held_out(Path("paintings/own.jpg"))


def test_pictures_are_stored_larger_for_larger_crops(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for number in range(40):
        Image.new("RGB", (1000, 700), (number, 0, 0)).save(tmp_path / "p" / f"{number}.png")
    for size_px, side in ((128, 320), (256, 320), (512, 640)):
        train, _ = build_shards(tmp_path / "p", tmp_path / "cache", "p", workers=1, size_px=size_px)
        assert {min(picture.shape[:2]) for picture in train} == {side}


def test_pictures_are_trained_on_as_people_see_them(tmp_path: Path) -> None:
    """Upright, what is transparent white; what can't be decoded is left out and doesn't end the work of an hour."""
    sideways = Image.new("RGB", (120, 80), "red")
    exif = sideways.getexif()
    exif[ORIENTATION_TAG] = 6
    sideways.save(tmp_path / "phone.jpg", exif=exif)
    turned = decode_for_training(tmp_path / "phone.jpg")
    assert turned is not None
    assert turned.shape == (120, 80, 3)
    Image.new("RGBA", (90, 90), (0, 0, 0, 0)).save(tmp_path / "logo.png")
    cut_out = decode_for_training(tmp_path / "logo.png")
    assert cut_out is not None
    assert cut_out.min() == 255
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    assert decode_for_training(tmp_path / "bomb.png") is None


def test_a_new_run_leaves_the_checkpoint_of_an_old_one_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"hours of work")
    told = ["--photos", str(tmp_path), "--paintings", str(tmp_path), "--loss-weights", str(tmp_path), "--out"]
    with pytest.raises(SystemExit) as ended:
        main([*told, str(tmp_path)])
    assert ended.value.code == 2
    assert "--resume goes on from it" in capsys.readouterr().err
    assert (tmp_path / CHECKPOINT).read_bytes() == b"hours of work"
    with pytest.raises(SystemExit):
        main([*told, str(tmp_path / "elsewhere"), "--resume"])
    assert "to go on from" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_a_run_with_its_checkpoint(
    tmp_path: Path, shards: tuple[Shard, Shard], number: signal.Signals
) -> None:
    """As a terminal sends Ctrl-C and `torchrun` its end: loading processes get it, too, and must not end the loop."""
    command = [sys.executable, "-m", "tests.engine.stylize.training.endless_run", str(tmp_path)]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(600):
                if (tmp_path / "loss.csv").exists() or process.poll() is not None:
                    break
                time.sleep(0.1)
            os.killpg(process.pid, number)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, told
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert 1 <= state["step"] < 10**6


def test_a_gradient_that_is_not_finite_leaves_the_weights_finite(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    one = trainer(Options(out=tmp_path, steps=2))
    batch, spoilt = (drawer(shards, seed=5).batch(step, MODE) for step in (0, 1))
    assert float(one.train_step(batch)["not_finite"]) == 0
    spoilt.content[0, 0, 0, 0] = float("nan")
    assert float(one.train_step(spoilt)["not_finite"]) == 1
    assert all(bool(torch.isfinite(value).all()) for value in one.network.state_dict().values())
    assert float(one.train_step(batch)["loss"]) > 0


def test_few_watched_pairs_are_as_many_as_there_are(shards: tuple[Shard, Shard]) -> None:
    """Repeated pictures would look like dead levels: swapped with themselves they change nothing."""
    judges = SmallFeatures()
    pairs = WatchedPairs([shards[0]], [shards[1]], judges, [64])  # type: ignore[arg-type]
    assert len(pairs.pairs[64][0]) == 4
    painted, figures = pairs.paint_and_judge(StyleNetwork(TINY), CPU)
    assert painted[64].shape == (4, 3, 64, 64)
    assert figures["from_quarter"] > 0
    assert figures["from_eighth"] > 0
    assert {"style_deep_64", "halo_64", "streak_64", "gradient_64"} <= set(figures)


def test_crops_have_the_size_asked_for(shards: tuple[Shard, Shard]) -> None:
    mode = Mode(96, 64, 2, 1.0)
    batch = drawer(shards, modes=(mode,)).batch(1, mode)
    assert batch.content.shape == batch.perturbed.shape == (2, 3, 96, 96)
    assert batch.style.shape == (2, 3, 64, 64)
    picture = np.random.default_rng(0).integers(0, 255, (70, 300, 3), dtype=np.uint8)
    assert central_crop(picture, 64).shape == (64, 64, 3)


def test_an_unknown_loss_term_is_refused() -> None:
    assert term_weight("style=2.5") == ("style", 2.5)
    for wrong in ("stlye=2", "style=much", "style"):
        with pytest.raises(argparse.ArgumentTypeError, match=wrong.partition("=")[0]):
            term_weight(wrong)


def test_weights_survive_saving_in_half_precision(tmp_path: Path, shards: tuple[Shard, Shard]) -> None:
    options = Options(out=tmp_path / "run", steps=1, report_steps=1)
    run(options, shards)
    network, step, _ = network_of_checkpoint(tmp_path / "run" / CHECKPOINT)
    assert step == 1
    save_network(network, tmp_path / "weights.safetensors")
    again = load_network(tmp_path / "weights.safetensors")
    assert again.shape == TINY
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=1e-3, rtol=1e-3)


def test_a_coloured_seam_costs_and_the_same_light_does_not() -> None:
    generator = torch.Generator().manual_seed(0)
    light = torch.rand(1, 1, 64, 64, generator=generator).expand(-1, 3, -1, -1)
    style = (0.5 * light + torch.tensor([0.2, 0.1, 0.0]).view(1, 3, 1, 1) * torch.rand(1, 1, 64, 64)).clamp(0, 1)
    seam = style.clone()
    seam[:, 0, :, 30] += 0.4
    seam[:, 2, :, 31] += 0.4
    brighter = style + 0.1 * light
    assert float(fringe_distance(style, style)) == 0.0
    assert float(fringe_distance(seam, style)) > 0.05 > 0.001 > float(fringe_distance(brighter, style))
