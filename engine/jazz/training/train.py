"""`python -m engine train jazz`: from solos to the soloist's weights, in stages.

    corpus        read, check and cut into memory-mapped shards (runs by itself when they are missing)
    likelihood    the soloist and its rendition predict the next note
    critic        learns to tell human excerpts from the soloist's
    adversarial   the soloist learns from the critic, mixed with likelihood
    reweighted    instead of adversarial: the soloist learns from a critic of eight bars, mixed with likelihood
    takes         the critic that chooses takes learns eight bars of the finished soloist's from human ones
    export        writes the weights that the engine plays with

With `--votes votes.csv` (of `/poll export`) it does something else: the soloist that plays now learns from what a class
has voted, and becomes a candidate, which plays half of the polls' clips once `jazz.candidate` names its file.

Several GPUs: `torchrun --nproc-per-node N -m engine.jazz.training.train ...`. Every stage resumes where it was
interrupted.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from engine.command_line import Parser
from engine.jazz.corpus.shards import corpus_of
from engine.jazz.corpus.solos import Solo
from engine.jazz.model.batches import encode_solos
from engine.jazz.model.critic_net import CriticShape
from engine.jazz.model.rendition_net import RenditionShape
from engine.jazz.model.soloist_net import SoloistShape
from engine.jazz.model.weights_file import FILE_NAME, Weights, load_weights, save_weights
from engine.jazz.playing.matched import Clip, matched_clips
from engine.jazz.playing.sampling import Heat
from engine.jazz.playing.soloist import WEIGHTS_DIR, Soloist
from engine.jazz.training.adversarial import AdversarialPlan, train_adversarial
from engine.jazz.training.critic import CriticPlan, encode_clips, train_critic
from engine.jazz.training.export import collect
from engine.jazz.training.likelihood import LikelihoodPlan, train_likelihood
from engine.jazz.training.reweighted import ReweightedPlan, train_reweighted, weigh_crosswise
from engine.jazz.training.stage import Group, join_group, load_checkpoint, save_checkpoint
from engine.jazz.training.take_critic import train_take_critic, windows_of_humans
from engine.jazz.training.voted import VotedPlan, read_votes, train_voted

STAGES = ("corpus", "likelihood", "critic", "adversarial", "reweighted", "takes", "export")

NOTES = {"likelihood": "notes", "adversarial": "adversarial", "reweighted": "reweighted"}
"""Checkpoints of the note network by the name of the soloist."""

DEFAULT_HEAT = "timing=1.05,position=1.04,pitch=1.02,offset=1.05,length=1.03,loudness=1.03"
"""Networks that were trained with dropout are a little too sure of themselves without it: the val split asks for about
1.1 everywhere, the marginals of rests and leaps and the judge for half of that."""


def heat_of(text: str) -> dict[str, float]:
    """ "timing=1.05,pitch=1" -> temperatures by stream; those not named are 1. Raises `ValueError`."""
    heat = {name: float(value) for name, value in (part.split("=") for part in text.split(",") if part)}
    Heat(**heat)
    return heat


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `train jazz`."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with wjazzd/ (MCSV), a wjazzd.db or MIDI files"
    )
    parser.add_argument("--out", type=Path, default=Path("var/train/jazz"), help="checkpoints, logs and shards")
    parser.add_argument("--stage", choices=STAGES, default="likelihood")
    parser.add_argument(
        "--part", choices=("notes", "rendition", "both"), default="both", help="which network (likelihood)"
    )
    parser.add_argument("--steps", type=int, help="number of steps")
    parser.add_argument("--decay", type=int, help="steps of the learning rate's final decay")
    parser.add_argument("--batch", type=int, help="excerpts per step")
    parser.add_argument("--peak", type=float, help="peak learning rate")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes that read the corpus")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; default: torch decides")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--measure-every", type=int, default=100, help="steps between measurements and checkpoints")
    parser.add_argument(
        "--clips",
        type=int,
        help="solos of 16 bars for the critic; default: 400, 1600 (reweighted), 1500 (takes)",
    )
    parser.add_argument(
        "--trust", type=float, default=1.0, help="power of the critic's odds when it picks takes (export)"
    )
    parser.add_argument("--heat", default=DEFAULT_HEAT, help="temperatures of the streams (critic, takes, export)")
    parser.add_argument(
        "--soloist", choices=tuple(NOTES), default="likelihood", help="which note network (takes, export)"
    )
    parser.add_argument("--votes", type=Path, metavar="votes.csv", help="learn from a class: a file of `/poll export`")
    parser.add_argument(
        "--simulated", action="store_true", help="with --votes: learn from simulated votes, and from those alone"
    )
    parser.add_argument(
        "--candidate", type=Path, default=Path("var/candidate.safetensors"), help="with --votes: the file to write"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS_DIR, help="where export writes the weights")


def performers_of(solos: list[Solo]) -> tuple[str, ...]:
    """The names that have a class, in a fixed order."""
    return tuple(sorted({solo.performer for solo in solos if solo.performer}))


def main(argv: list[str]) -> int:
    parser = Parser(prog="python -m engine train jazz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add_arguments(parser)
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    group = join_group(args.device)
    if group.leads:  # the others would write the same files at the same time
        corpus_of(args.data, args.out, args.workers, rebuild=args.stage == "corpus")
    group.wait()
    if args.stage == "corpus":
        return 0
    splits = corpus_of(args.data, args.out, args.workers)
    if args.votes is not None:
        return _voted(args, splits, group)
    stages = {
        "likelihood": _likelihood, "critic": _critic, "adversarial": _adversarial,
        "reweighted": _reweighted, "takes": _takes, "export": _export,
    }  # fmt: skip
    stages[args.stage](args, splits, group)
    return 0


def _likelihood(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    performers = performers_of(splits["train"])
    solos, held_out = (encode_solos(splits.get(split, []), performers) for split in ("train", "val"))
    given = {"steps": args.steps, "decay": args.decay, "batch": args.batch, "peak": args.peak}
    given = {name: value for name, value in given.items() if value is not None}
    for part in ("notes", "rendition") if args.part == "both" else (args.part,):
        shape = SoloistShape if part == "notes" else RenditionShape
        plan = LikelihoodPlan(part=part, seed=args.seed, measure_every=args.measure_every, **given)
        train_likelihood(
            solos, held_out, shape(dropout=args.dropout, performers=len(performers)), plan, args.out, group
        )


def _soloist(args: argparse.Namespace, splits: dict[str, list[Solo]], notes: str, critic: bool) -> Weights:
    """The soloist from the checkpoints so far; `notes` names the stage of its note network."""
    checkpoints = {"notes": args.out / f"{notes}.pt", "rendition": args.out / "rendition.pt"}
    if critic:
        checkpoints["takes"] = args.out / "takes.pt"
    performers = performers_of(splits["train"])
    name = next(name for name, checkpoint in NOTES.items() if checkpoint == notes)
    return collect(checkpoints, splits["train"], performers, name, heat=heat_of(args.heat), trust=args.trust)


def _clips(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group, notes: str, count: int) -> list[Clip]:
    """What the soloist plays in the settings of the train solos when nobody chooses."""
    soloist = Soloist.of(_soloist(args, splits, notes, critic=False), group.device)
    with tqdm(total=count, desc="the soloist plays", disable=not group.leads) as bar:
        return matched_clips(soloist, splits["train"], count, seed=args.seed, takes=1, batch=50, progress=bar.update)


def _critic(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    clips = _clips(args, splits, group, "notes", args.clips or 400)
    machine = encode_clips(clips)
    held_back = max(1, len(machine) // 6)
    human, human_held_out = (encode_solos(splits.get(split, []), ()) for split in ("train", "val"))
    given = {name: value for name, value in (("steps", args.steps), ("batch", args.batch)) if value is not None}
    plan = CriticPlan(seed=args.seed, **given)
    train_critic(human, human_held_out, machine[held_back:], machine[:held_back], CriticShape(), plan, args.out, group)


def _adversarial(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    performers = performers_of(splits["train"])
    solos, held_out = (encode_solos(splits.get(split, []), performers) for split in ("train", "val"))
    given = {name: value for name, value in (("steps", args.steps), ("batch", args.batch)) if value is not None}
    plan = AdversarialPlan(seed=args.seed, **given)
    train_adversarial(solos, held_out, args.out / "notes.pt", args.out / "critic.pt", plan, args.out, group)


def _reweighted(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    clips = _clips(args, splits, group, "notes", args.clips or 1600)
    lines = weigh_crosswise(windows_of_humans(splits["train"]), clips)
    performers = performers_of(splits["train"])
    solos, held_out = (encode_solos(splits.get(split, []), performers) for split in ("train", "val"))
    given = {name: value for name, value in (("steps", args.steps), ("batch", args.batch)) if value is not None}
    plan = ReweightedPlan(seed=args.seed, **given)
    train_reweighted(solos, held_out, lines, args.out / "notes.pt", plan, args.out, group)


def _voted(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> int:
    """From the weights that play now and a class's votes to a candidate; 1 where the votes don't say enough."""
    shipped = load_weights(args.weights / FILE_NAME)
    args.out.mkdir(parents=True, exist_ok=True)
    start = args.out / "voted-start.pt"
    save_checkpoint(start, average=shipped.networks["notes"], shape=shipped.shapes["notes"], step=0)
    trials = read_votes(args.votes, simulated=args.simulated)
    performers = tuple(shipped.facts["performers"])
    solos, held_out = (encode_solos(splits.get(split, []), performers) for split in ("train", "val"))
    given = {name: value for name, value in (("steps", args.steps), ("peak", args.peak)) if value is not None}
    measured = train_voted(solos, held_out, trials, start, VotedPlan(seed=args.seed, **given), args.out, group)
    said = f"{len(trials)} trials; votes on trials held back: {measured['gain']:+.4f} nats a vote; "
    said += f"likelihood of people's solos: {-100 * measured['rise']:+.2f} %\n"
    if measured["gain"] <= 0:
        sys.stdout.write(f"{said}The votes don't say enough yet, so no candidate was written.\n")
        return 1
    if group.leads:
        learned = load_checkpoint(args.out / "voted.pt", torch.device("cpu"))
        name = "simulated" if args.simulated else "voted"
        facts = {
            **shipped.facts, "name": name, "began_as": shipped.version,
            "votes": {"trials": len(trials), "simulated": args.simulated, "gain": measured["gain"]},
        }  # fmt: skip
        networks = {**shipped.networks, "notes": learned["average"]}
        save_weights(args.candidate, dataclasses.replace(shipped, networks=networks, facts=facts))
        sys.stdout.write(f"{said}wrote {args.candidate}\n")
    return 0


def _takes(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    clips = _clips(args, splits, group, NOTES[args.soloist], args.clips or 1500)
    if group.leads:
        train_take_critic(splits["train"], splits.get("val", []), clips, args.out)


def _export(args: argparse.Namespace, splits: dict[str, list[Solo]], group: Group) -> None:
    """The soloist that plays, and beside it the note networks of the others, for comparison."""
    if group.leads:
        weights = _soloist(args, splits, NOTES[args.soloist], critic=(args.out / "takes.pt").exists())
        save_weights(args.weights / FILE_NAME, weights)
        for name, checkpoint in NOTES.items():
            if name != args.soloist and (args.out / f"{checkpoint}.pt").exists():
                other = _soloist(args, splits, checkpoint, critic=False)
                other.runs = other.runs[:0]
                save_weights(args.weights / f"notes-{name}.safetensors", other.without("rendition"))
        sys.stdout.write(f"wrote {args.weights / FILE_NAME}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
