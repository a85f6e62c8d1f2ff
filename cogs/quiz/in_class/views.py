"""How a class quiz looks: its question, the discussion, the reveal and the ranking.

Nothing that is posted while a vote is open depends on the right answer or on what was chosen: only the count grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord

from bot.answering.text import (
    MAX_DESCRIPTION,
    MAX_FIELD,
    code_block,
    counted,
    in_a_row,
    in_words,
    named,
    percent,
    shorten,
)
from bot.rules.class_quiz import Distribution, Phase, Place, normalised_gain
from bot.rules.judging import reason_of
from bot.rules.quiz import LETTERS, Kind, Question
from bot.store.lessons.class_quiz import ClassQuiz, Round
from cogs.quiz import questions as views

BAR_CELLS = 10
CLOSED = discord.Colour.green()
PLACES_SHOWN = 15
MOST_CODE = 1000


def round_embed(quiz: ClassQuiz, at: Round, voters: int) -> discord.Embed:
    """The question at hand, while it is voted on or talked over. How to answer is only said while one can."""
    votes = quiz.standing.vote is not None
    embed = views.question_embed(at.posted, with_task=votes)
    embed.title = _title(quiz, at)
    embed.add_field(name=_phase_name(quiz), value=_phase_text(quiz, voters), inline=False)
    private = " · only you see what you choose, and you can change it" if votes else ""
    embed.set_footer(text=f"{in_words(at.posted.question.topic)}{private}")
    return embed


def _title(quiz: ClassQuiz, at: Round) -> str:
    return f"Class quiz: question {at.position + 1} of {quiz.plan.rounds}"


def _phase_name(quiz: ClassQuiz) -> str:
    match quiz.standing.phase:
        case Phase.VOTE if quiz.plan.second_vote:
            return "First vote: on your own"
        case Phase.SECOND_VOTE:
            return "Second vote"
        case Phase.DISCUSSION:
            return "Talk it over"
    return "Vote"


def _phase_text(quiz: ClassQuiz, voters: int) -> str:
    if quiz.standing.ends_at is None:
        return f"Paused. {counted(voters, 'answer')} so far."
    until = f"<t:{quiz.standing.ends_at:.0f}:R>"
    if quiz.standing.phase is Phase.DISCUSSION:
        return f"Find somebody who chose another answer and convince them. The second vote opens {until}."
    return f"{counted(voters, 'answer')} so far. Closes {until}."


def reveal_embed(
    quiz: ClassQuiz, at: Round, counted_by: Question, first: Distribution, second: Distribution | None
) -> discord.Embed:
    """The question; what was chosen, by option, with the misconception that leads there; why the right one is right.

    `counted_by` is the question with the options that the distributions count by: what was typed, where it was."""
    final = second if second is not None and second.voters else first
    lines = [shorten(counted_by.text, 600)]
    if counted_by.code:
        lines.append(code_block(counted_by.code, "py", MOST_CODE))
    for option, text in enumerate(counted_by.options):
        lines.append(_option_line(option, text, first, second))
        reason = reason_of(counted_by, option)
        if option not in first.right and (first.counts[option] or final.counts[option]) and reason:
            lines.append(f"*{views.because(counted_by, shorten(reason, 200))}*")
    right = [LETTERS[option] for option in sorted(first.right)]
    answer = "answer" if len(right) == 1 else "answers"
    embed = discord.Embed(
        title=f"{_title(quiz, at)} · {answer} {in_a_row(right)}",
        description=shorten("\n".join(lines), MAX_DESCRIPTION),
        colour=CLOSED,
    )
    why = counted_by.explanation.partition("\n\nThe others:")[0]
    embed.add_field(name="Why", value=shorten(why, MAX_FIELD), inline=False)
    embed.add_field(name="The class", value=_class_line(first, second), inline=False)
    return embed


def _option_line(option: int, text: str, first: Distribution, second: Distribution | None) -> str:
    mark = "✅" if option in first.right else "▫️"
    name = f"{mark} **{LETTERS[option]}** {views.as_option(text, 120)}"
    if second is None:
        return f"{name}\n{_bar(first, option)}"
    return f"{name}\n{_bar(first, option)} first\n{_bar(second, option)} second"


def _bar(of: Distribution, option: int) -> str:
    share = of.counts[option] / of.voters if of.voters else 0.0
    filled = round(BAR_CELLS * share)
    return f"{'▰' * filled}{'▱' * (BAR_CELLS - filled)} {percent(share)} ({of.counts[option]})"


def _class_line(first: Distribution, second: Distribution | None) -> str:
    if not first.voters:
        return "Nobody answered."
    return _shares(first, second) + _made_up(second if second is not None and second.voters else first)


def _made_up(final: Distribution) -> str:
    """Whose answers these are, where a simulated class takes part."""
    if not final.simulated:
        return ""
    if final.simulated == final.voters:
        return " All of them are simulated, and count in no report."
    return f" {final.simulated} of these {final.voters} are simulated, and count in no report."


def _shares(first: Distribution, second: Distribution | None) -> str:
    if second is None or not second.voters:
        return f"{percent(first.share_right)} of {counted(first.voters, 'answer')} right."
    line = f"{percent(first.share_right)} right before you talked it over, {percent(second.share_right)} after."
    gain = normalised_gain(first, second)
    if gain is not None and gain > 0:
        line += f" Talking it over brought {'everybody' if gain == 1 else f'{percent(gain)} of the others'} round."
    return line


def skipped_embed(quiz: ClassQuiz, at: Round) -> discord.Embed:
    """A question that the host left out."""
    text = "The host skipped this question; it doesn't count for anyone."
    return discord.Embed(title=_title(quiz, at), description=text, colour=views.COLOUR)


def left_embed(quiz: ClassQuiz, at: Round) -> discord.Embed:
    """The question that was open when the host ended the quiz."""
    text = "The host ended the quiz before this question was answered; it doesn't count for anyone."
    return discord.Embed(title=_title(quiz, at), description=text, colour=views.COLOUR)


def ranking_embed(
    quiz: ClassQuiz, places: Sequence[Place], teams: Sequence[Place], names: Mapping[int, int], asked: int
) -> discord.Embed:
    """The end of a quiz. `names` are Discord ids by member number; a member who asked to be forgotten has none."""
    lines = [f"{place.place}. {_name(place.who, names)}  {_points(place.points)}" for place in places[:PLACES_SHOWN]]
    if len(places) > PLACES_SHOWN:
        lines.append(f"… and {len(places) - PLACES_SHOWN} more.")
    embed = discord.Embed(
        title=f"Class quiz: the ranking after {counted(asked, 'question')}",
        description="\n".join(lines) or "Nobody answered this time.",
        colour=CLOSED,
    )
    if teams:
        rows = [f"{place.place}. {named(str(place.who))}  {_points(place.points)} each" for place in teams]
        embed.add_field(name="Teams", value=shorten("\n".join(rows), MAX_FIELD), inline=False)
    embed.set_footer(text=f"Class quiz {quiz.id} · right answers count, and speed only breaks ties.")
    return embed


def _name(who: int | str, names: Mapping[int, int]) -> str:
    return f"<@{names[who]}>" if isinstance(who, int) and who in names else "somebody"


def _points(points: float) -> str:
    whole = f"{points:.1f}".removesuffix(".0")
    return f"{whole} point" if whole == "1" else f"{whole} points"


def recorded_sentence(question: Question, before: str | None, given: str) -> str:
    """What a member reads alone after an answer."""
    chosen = views.chosen_words(question, given)
    verb, changed = ("wrote", "written") if question.kind is Kind.TYPED else ("chose", "chosen")
    if before is None:
        said = f"You {verb} {chosen}."
    elif before == given:
        said = f"You'd already {changed} {chosen}, and that stands."
    else:
        said = f"Changed to {chosen}."
    return f"{said} You can change it until the vote closes."
