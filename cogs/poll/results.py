"""What a closed series came to, and all of them together: the embeds for after the close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.answering.text import MAX_DESCRIPTION, MAX_FIELD, counted, named, percent, shorten
from bot.rules.blind_poll import Tally, sealed_text
from bot.rules.listening.judgements import ClipResult, Share
from bot.rules.listening.summary import FEWEST_VOTES_ON_BOARD, Ear, Figure, Summary, Version
from bot.rules.listening.verdict import Verdict
from bot.rules.model_race import FEWEST_TRIALS, REPLACED_FROM, Race
from bot.store.clips import Clip
from bot.store.polls.series import Series, Trial
from cogs.poll import wording
from cogs.poll.posting import COLOUR

FIGURE_NAMES = {
    "pairs right": "Right on pairs",
    "d' of pairs": "d′ on pairs (0: can't tell)",
    "balanced accuracy": "Right on single clips, human and model counting equally",
    "human-call ratio": "The model called human, for each time a human is",
    "d' of singles": "d′ on single clips",
    "criterion": "Criterion c (below 0: leans to “human”)",
}
SHARES = {"pairs right", "balanced accuracy"}


@dataclass(frozen=True)
class TrialResult:
    """One trial after the close."""

    trial: Trial
    human: Clip
    model: Clip
    tally: Tally


def result_footer(number: int) -> str:
    return f"Result of series {number}"


def reveal_embed(
    found: Series, results: Sequence[TrialResult], summary: Summary, missed: int, simulated: Share
) -> discord.Embed:
    """The answers, what was voted, the verdict of all series so far, and the key to the seal."""
    lines = [_trial_line(result) for result in results]
    embed = discord.Embed(
        title=shorten(f"The reveal: {wording.series_title(found)}", 256),
        description=shorten("\n".join(lines), MAX_DESCRIPTION - 600),
        colour=COLOUR,
    )
    embed.add_field(name="All together", value=_share_text(summary.share, summary.listeners), inline=False)
    if found.recordings:
        embed.add_field(name="Verdict", value="None: recordings give themselves away by their sound.", inline=False)
    if missed:
        embed.add_field(
            name="Left out",
            value=f"{counted(missed, 'listener')} missed a catch trial, so these votes aren't in the figures.",
            inline=False,
        )
    if simulated.votes:
        embed.add_field(
            name=f"And {counted(simulated.votes, 'simulated vote')}",
            value=f"{simulated.right} were right. They're made up and aren't counted in any figure.",
            inline=False,
        )
    if found.seal:
        answers = [result.trial.answer for result in results]
        value = f"`{sealed_text(answers, found.salt)}`\nIts SHA-256 is the seal in the opening message."
        embed.add_field(name="The key to the seal", value=value, inline=False)
    embed.set_footer(text=result_footer(found.id))
    return embed


def verdict_field(embed: discord.Embed, verdict: Verdict) -> None:
    """What all series of a server say together; it may be read as often as one likes."""
    text = wording.verdict_text(verdict)
    about = f"From {counted(verdict.trials, 'trial')} and {counted(verdict.votes, 'vote')}; safe to read at any time."
    value = f"{text}\n{about}" if verdict.votes else text
    embed.add_field(name="Verdict of all series so far", value=value, inline=False)


def _trial_line(result: TrialResult) -> str:
    trial, tally = result.trial, result.tally
    head = f"**{trial.number}.** "
    if trial.is_catch:
        head += f"a catch: {trial.answer} was the solo, the other the same with its pitches shuffled."
    elif trial.design == "pair":
        head += f"**{trial.answer}** was the human: {_title(result.human)}. The other: {_model(result.model)}."
    elif trial.answer == "human":
        head += f"a **human**: {_title(result.human)}."
    else:
        head += f"the **model**: {_model(result.model)}, over the chords of another clip."
    if trial.is_withdrawn and trial.message_id is None:
        said = "It wasn't played, because its clip had been removed."
    elif not tally.counted:
        said = "None of these votes count." if tally.knew else "Nobody voted on it."
    else:
        said = f"{tally.right} of {tally.counted} right ({percent(tally.right / tally.counted)})."
    if tally.knew:
        said += f" {counted(tally.knew, 'listener')} knew it."
    return f"{head} {said}"


def _title(clip: Clip) -> str:
    year = f", {clip.year}" if clip.year else ""
    return f"{named(shorten(clip.title, 80))} ({named(shorten(clip.performer, 60))}{year})"


def _model(clip: Clip) -> str:
    how = clip.conditions
    if not how.model_version:
        return clip.performer
    takes = f", {counted(how.takes, 'take')}" if how.takes else ""
    return f"the model {how.model_version}, seed {how.seed}{takes}"


def _share_text(share: Share, listeners: int) -> str:
    if not share.votes:
        return "No votes count."
    return (
        f"{share.right} of {counted(share.votes, 'vote')} of {counted(listeners, 'listener')} were right "
        f"({percent(share.accuracy)}). Guessing gets 50 %."
    )


def closed_opening_embed(found: Series) -> discord.Embed:
    """What the opening message shows after the close; the seal stays readable."""
    embed = discord.Embed(
        title=wording.series_title(found), description="This poll has closed; the result is below.", colour=COLOUR
    )
    if found.seal:
        embed.add_field(name="The seal", value=f"`{found.seal}`", inline=False)
    return embed.set_footer(text=f"Series {found.id}")


def closed_trial_embed(found: Series, result: TrialResult, trials: int) -> discord.Embed:
    embed = discord.Embed(
        title=wording.trial_title(found, result.trial, trials),
        description=_trial_line(result).split(" ", 1)[1],
        colour=COLOUR,
    )
    return embed.set_footer(text="This poll has closed.")


def stats_embed(summary: Summary) -> discord.Embed:
    """All closed series of a server together."""
    embed = discord.Embed(title="Human or AI: all series so far", colour=COLOUR)
    if not summary.votes:
        embed.description = "No closed poll has any votes yet."
        return embed
    embed.description = wording.verdict_text(summary.verdict)
    embed.add_field(name="Votes", value=_share_text(summary.share, summary.listeners), inline=False)
    embed.add_field(name="Figures, with 95 % intervals over listeners and clips", value=figures_text(summary))
    if summary.calls.total:
        embed.add_field(name="Single clips", value=_matrix_text(summary), inline=False)
    if groups := _groups_text(summary):
        embed.add_field(name="Who, and what they went by", value=groups, inline=False)
    if confidence := _confidence_text(summary):
        embed.add_field(name="How sure", value=confidence, inline=False)
    embed.set_footer(text=f"{counted(len(summary.trials), 'trial')} · the verdict may be read at any time")
    return embed


def figures_text(summary: Summary) -> str:
    lines = [f"{FIGURE_NAMES[name]}: {figure_text(name, figure)}" for name, figure in summary.figures.items()]
    return shorten("\n".join(lines) or "None yet.", MAX_FIELD)


def figure_text(name: str, figure: Figure) -> str:
    if name in SHARES:
        value = f"**{percent(figure.value)}**"
        spread = f"{wording.interval_text(figure.interval)}" if figure.interval else ""
    else:
        value = f"**{figure.value:.2f}**"
        spread = f"{figure.interval.low:.2f} and {figure.interval.high:.2f}" if figure.interval else ""
    return f"{value} (between {spread})" if spread else f"{value} (too few listeners or clips for an interval)"


def _matrix_text(summary: Summary) -> str:
    calls = summary.calls
    kinds = (("Humans", calls.hits, calls.human), ("The model", calls.false_alarms, calls.ai))
    return "\n".join(f"{who} called human: {called:.0f} of {heard:.0f}" for who, called, heard in kinds if heard)


def _groups_text(summary: Summary) -> str:
    lines = [
        f"{name}: {share.right} of {share.votes} right ({percent(share.accuracy)})"
        for name, share in (("Musicians", summary.musicians), ("Everybody else", summary.others))
        if share.votes and summary.musicians.votes
    ]
    lines += [
        f"By {share.label}: {share.right} of {share.votes} right ({percent(share.accuracy)})"
        for share in summary.reasons
        if share.votes
    ]
    return shorten("\n".join(lines), MAX_FIELD)


def _confidence_text(summary: Summary) -> str:
    if summary.brier is None:
        return ""
    lines = [f"Brier score {summary.brier:.3f} (0: perfect; 0.25: always saying 50 %)"]
    if summary.area_under_roc is not None:
        lines.append(f"Area under the ROC curve {summary.area_under_roc:.2f} (0.5: guessing)")
    lines += [
        f"Votes at {row.confidence} % confidence: {row.right} of {row.votes} right" for row in summary.calibration
    ]
    return shorten("\n".join(lines), MAX_FIELD)


def clips_field(embed: discord.Embed, results: Sequence[TrialResult]) -> None:
    """The most human of the machine's solos, and the most machine-like of the humans'."""
    fooled = [r for r in results if r.tally.counted and not r.trial.is_catch and r.trial.answer != "human"]
    if fooled:
        best = max(fooled, key=lambda r: 1 - r.tally.right / r.tally.counted)
        share = 1 - best.tally.right / best.tally.counted
        embed.add_field(
            name="The most human of the model's solos",
            value=f"{_model(best.model)}: taken for the human by {percent(share)} of {best.tally.counted}",
            inline=False,
        )
    doubted = [r for r in results if r.tally.counted and not r.trial.is_catch and r.trial.answer != "ai"]
    if doubted:
        worst = min(doubted, key=lambda r: r.tally.right / r.tally.counted)
        share = 1 - worst.tally.right / worst.tally.counted
        embed.add_field(
            name="The most machine-like human solo",
            value=f"{_title(worst.human)}: taken for the model by {percent(share)} of {worst.tally.counted}",
            inline=False,
        )


def clips_embed(found: Sequence[ClipResult], trials: Sequence[TrialResult]) -> discord.Embed:
    """Clip after clip, from the one that fooled most listeners to the one that gave itself away."""
    by_id = {result.trial.id: result for result in trials}
    lines = [_clip_line(by_id[clip.trial], clip) for clip in found if clip.trial in by_id]
    shown = lines
    while sum(len(line) + 1 for line in shown) > MAX_DESCRIPTION - 100:
        shown = [*shown[: len(shown) // 2 - 1], *shown[len(shown) // 2 + 1 :]]  # the middle tells least
    if len(shown) < len(lines):
        shown.insert(len(shown) // 2, f"… {len(lines) - len(shown)} more; `/poll export` has them all …")
    text = "\n".join(shown) or "No closed poll has any votes yet."
    return discord.Embed(title="Clip by clip", description=text, colour=COLOUR).set_footer(
        text="From the clip that fooled the most listeners to the one that fooled the fewest. “Went by”: what "
        "listeners who were right relied on."
    )


def _clip_line(result: TrialResult, clip: ClipResult) -> str:
    trial = result.trial
    if trial.answer == "human":
        what, fooled = _title(result.human), "taken for the model by"
    else:
        beside = f" beside {_title(result.human)}" if trial.design == "pair" else ""
        what, fooled = f"{_model(result.model)}{beside}", "taken for the human by"
    went_by = ", ".join(f"{reason} {count}" for reason, count in clip.reasons[:3])
    tail = f"; went by: {went_by}" if went_by else ""
    return f"**{trial.series}.{trial.number}** {what}: {fooled} {clip.fooled} of {clip.votes}{tail}"


def race_text(race: Race | None) -> str:
    """Who is ahead, and whether that's sure enough; "" where one version plays."""
    if race is None:
        return ""
    new, old = (race.champion, race.candidate) if race.taken_over else (race.candidate, race.champion)
    both = f"The new version `{new.version}` plays beside the old one, `{old.version}`."
    heard = f"{counted(new.trials, 'trial')} of the new version and {old.trials} of the old one"
    if race.taken_over or race.decided:
        return (
            f"The new version `{new.version}` has taken over from the old one, `{old.version}`: it passed for the "
            f"human with {percent(new.share)} of its listeners, the old one with {percent(old.share)}, in {heard}."
        )
    if min(new.trials, old.trials) < FEWEST_TRIALS:
        return f"{both} It's too early to say which is ahead: {heard} so far, and each needs {FEWEST_TRIALS}."
    return (
        f"{both} In {heard}, it passed for the human with {percent(new.share)} of its listeners, the old one with "
        f"{percent(old.share)}. The chance that the new one is really better is {percent(race.posterior)}; above "
        f"{percent(REPLACED_FROM)} it takes over."
    )


def seasons_embed(versions: Sequence[Version], race: Race | None) -> discord.Embed:
    """How each version of the model did, and the race of the two that play."""
    lines = [
        f"`{version.name}` (from <t:{version.first_closed_at:.0f}:d>): listeners were right in "
        f"{percent(version.share.accuracy)} of {counted(version.share.votes, 'vote')} "
        f"(between {wording.interval_text(version.interval)}), so it fooled them in "
        f"{percent(1 - version.share.accuracy)}."
        for version in versions
    ]
    text = "\n".join(lines) or "No closed poll has any votes yet."
    embed = discord.Embed(title="The model's seasons", description=shorten(text, MAX_DESCRIPTION), colour=COLOUR)
    if told := race_text(race):
        embed.add_field(name="The race", value=told, inline=False)
    return embed.set_footer(text="50 % is as good as guessing, and the best that a model can do.")


def board_embed(ears: Sequence[Ear], names: Mapping[int, int]) -> discord.Embed:
    """Best ears of those who chose to be shown. Mentions in an embed name people without calling them."""
    lines = [
        f"{place}. <@{names[ear.listener]}>  {ear.share.right} of {ear.share.votes} right"
        for place, ear in enumerate(ears[:20], start=1)
    ]
    text = "\n".join(lines) or (
        f"Nobody is on the board yet. After {FEWEST_VOTES_ON_BOARD} votes you can join with the button below."
    )
    return discord.Embed(title="Best ears", description=text, colour=COLOUR).set_footer(
        text="Ordered by accuracy, pulled towards the class average when votes are few."
    )


def list_embed(rows: Sequence[tuple[Series, int, Share | None]]) -> discord.Embed:
    """The latest series: links and deadlines of open ones, results of closed ones."""
    lines = [_list_line(found, trials, share) for found, trials, share in rows]
    text = "\n".join(lines) or "There hasn't been a poll yet."
    return discord.Embed(title="Polls", description=shorten(text, MAX_DESCRIPTION), colour=COLOUR)


def _list_line(found: Series, trials: int, share: Share | None) -> str:
    link = f"[Series {found.id}: {named(wording.series_title(found))}]({found.link})"
    head = f"{link}, {counted(trials, 'trial')}"
    if share is None:
        when = "until the reveal" if found.closes_at is None else f"and closes <t:{found.closes_at:.0f}:R>"
        return f"{head}, is open {when}"
    if not share.votes:
        return f"{head}: no votes count"
    return f"{head}: {share.right} of {share.votes} right"
