"""Every sentence of a series that a member reads, made from values in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.answering.text import counted, in_a_row, percent, plain, shorten
from bot.rules.blind_poll import Ballot, Choice
from bot.rules.listening.intervals import Interval
from bot.rules.listening.judgements import Reason
from bot.rules.listening.verdict import FURTHEST_TRIALS, Verdict, Word
from bot.store.polls.ballots import Stored
from bot.store.polls.series import Series, Trial

NOT_STORED = "I can't save your vote at the moment, so it doesn't count yet; please press again in a minute."
REASONS = {
    Reason.TIMING: "Timing: how it swings",
    Reason.NOTES: "Notes: what is played",
    Reason.SOUND: "Sound: how it is played",
    Reason.FORM: "Form: where it goes",
    Reason.FEELING: "Just a feeling",
}
SAID = {Choice.A: "A is the human", Choice.B: "B is the human", Choice.HUMAN: "human", Choice.AI: "AI"}


def confidence_label(level: int) -> str:
    match level:
        case 50:
            return "50 %: I'm guessing"
        case 100:
            return "100 %: I'm certain"
    return f"{level} %"


def closes(closes_at: float | None) -> str:
    return "until the reveal" if closes_at is None else f"until the poll closes <t:{closes_at:.0f}:R>"


def stored_sentence(stored: Stored) -> str:
    """The private confirmation: said only after the vote is committed, and all that is stored."""
    ballot, before = stored.ballot, stored.before
    if stored.design == "question":
        return f"{_picked(stored)} You can change that {closes(stored.closes_at)}."
    parts = [_choice_sentence(ballot, before)]
    if ballot.choice and ballot.confidence is not None:
        parts.append(f"You're **{ballot.confidence} %** sure.")
    if ballot.reasons:
        parts.append(f"You went by: {', '.join(ballot.reasons)}.")
    if ballot.knows:
        parts.append("You know the piece, so your vote is left out of the figures.")
    return " ".join([*parts, f"You can change everything {closes(stored.closes_at)}."])


def _choice_sentence(ballot: Ballot, before: Ballot | None) -> str:
    if not ballot.choice:
        return "You haven't chosen yet."
    said = SAID[Choice(ballot.choice)]
    if before is not None and before.choice and before.choice != ballot.choice:
        return f"Changed to **{said}**."
    return f"Your vote: **{said}**."


def _picked(stored: Stored) -> str:
    if not stored.ballot.choice:
        return "You haven't chosen anything."
    options: list[str] = json.loads(stored.options)
    picked = [shorten(options[int(place)], 80) for place in stored.ballot.choice.split(",")]
    return f"Your vote: **{', '.join(picked)}**."


def kind_of(trial: Trial) -> str:
    return "pair" if trial.design == "pair" else "clip"


def series_title(series: Series) -> str:
    return shorten(plain(series.title), 200) if series.title else "Human or AI?"


def opening_text(series: Series, trials: Sequence[Trial]) -> str:
    """What a listener needs to know before the first trial, and the seal."""
    pairs = sum(trial.design == "pair" for trial in trials)
    singles = len(trials) - pairs
    parts = [counted(pairs, "pair")] if pairs else []
    parts += [counted(singles, "single clip")] if singles else []
    lines = [f"**{' and '.join(parts)}.** {what_to_do(pairs, singles)}"]
    if series.recordings:
        lines.append(
            "These are recordings: the sound itself may give them away, so they aren't counted in any statistics."
        )
    lines.append(
        "Your vote is private. You can say how sure you are and what you went by, and change any of it "
        f"{closes(series.closes_at)}. If you know a piece, say so: then your vote on it is left out. "
        "Use headphones if you have some."
    )
    return "\n".join(lines)


def what_to_do(pairs: int, singles: int) -> str:
    sentences = []
    if pairs:
        sentences.append(
            "In each pair, a human chose the notes of one clip and the model chose those of the other, over the same "
            "chords and with the same band. Which one is the human's?"
        )
    if singles:
        sentences.append("For each single clip: is a human playing, or the model?")
    return " ".join(sentences)


def seal_text(series: Series) -> str:
    return (
        f"The answers are sealed: `{series.seal}`\nThat's the SHA-256 hash of the answers and a secret salt. The "
        "reveal publishes both, and `/poll verify` checks that nobody has changed them."
    )


def plan_text(plan: Mapping[str, Any]) -> str:
    """The plan in words; "" where there is none."""
    if not plan:
        return ""
    needed = plan["votes_needed"]
    votes = f"more than {FURTHEST_TRIALS} trials" if needed is None else f"about {needed} votes"
    good, none = percent(plan["reached_if_good"]), percent(plan["reached_if_none_can"])
    return (
        f"{plan['hypothesis']} They *can't tell* if they're right less than {percent(plan['margin'])} of the time. "
        f"A verdict takes {votes}. With {counted(plan['voters'], 'listener')}, the chance that this series "
        f"reaches one is {good} if the class is right {percent(plan['good'])} of the time, and {none} if nobody can "
        "tell; votes from earlier series count too."
    )


def step_text(trial: Trial | None, is_new: bool, skipped: Sequence[int]) -> str:
    """Live: what the instructor reads who has pressed “Next”. `trial`: the one that stands now."""
    said = [skipped_text(skipped)] if skipped and (is_new or trial is None) else []
    if trial is None:
        said.append("No clips are left; “Reveal” under the last one, or `/poll close`, ends the series.")
    elif is_new:
        said.append(
            f"Trial {trial.number} is open. How people vote stays hidden until you press “Reveal” under the last one."
        )
    else:
        said.append("It's been posted already.")
    return " ".join(said)


def skipped_text(places: Sequence[int]) -> str:
    if len(places) == 1:
        return f"I've skipped trial {places[0]}: its clip has been removed."
    return f"I've skipped trials {in_a_row([str(place) for place in places])}: their clips have been removed."


def skipped_for_staff(series: Series, trial: Trial) -> str:
    """Over days, where nobody presses anything."""
    return (
        f"I've skipped trial {trial.number} of series {series.id}: its clip was removed before it could be posted. "
        "The other trials are there; `/poll list` links to them."
    )


def trial_text(trial: Trial) -> str:
    if trial.design == "pair":
        return "Listen to both. **Which one is the human?**"
    return "Listen. **A human or the model?**"


def trial_title(series: Series, trial: Trial, trials: int) -> str:
    return f"{kind_of(trial).capitalize()} {trial.number} of {trials} · {series_title(series)}"


def voters_text(voters: int) -> str:
    return f"{counted(voters, 'vote')} so far; nobody sees how people voted before the reveal."


def verdict_text(verdict: Verdict) -> str:
    """Three words and what they rest on."""
    interval = f"between {interval_text(verdict.interval)} of the time"
    match verdict.word:
        case Word.CAN_TELL:
            return f"**This class can tell.** It is right {interval}; guessing gets 50 %."
        case Word.CANT_TELL:
            return (
                f"**This class can't tell.** It is right {interval}, which is as good as guessing "
                f"(the margin set in the plan is {percent(verdict.margin)})."
            )
    if not verdict.votes:
        return "**Too early to say:** no vote counts yet."
    if verdict.more_votes is None:
        more = f"more than {FURTHEST_TRIALS} more trials with as many votes as these"
    else:
        more = f"about {round_up(verdict.more_votes)} more votes"
    return f"**Too early to say:** it would take {more}. So far the class has been right {interval}."


def round_up(votes: int) -> int:
    """To ten: nobody should take it for exact."""
    return -(-votes // 10) * 10


def interval_text(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} and {100 * interval.high:.0f} %"
