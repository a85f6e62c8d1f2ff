"""The buttons of a class quiz: the options, a guess of the commonest mistake, and the host's controls."""

from __future__ import annotations

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.answering.text import shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Phase, Standing
from bot.rules.quiz import LETTERS, fit_on_buttons
from bot.store.lessons import class_quiz
from bot.store.lessons.class_quiz import ClassQuiz, Round
from cogs.quiz.class_views import recorded_sentence

GONE = "I no longer have this quiz; `/quiz class` starts a new one."
HOST_ONLY = "The host of the quiz and the course staff use these buttons."
TEAM_PREFIX = "team"
"""A member's team is their first role whose name begins so, in any case."""

CONTROLS = {"pause": "Pause", "next": "Next", "skip": "Skip question", "end": "End quiz"}
CONTROL_ROW = 4


def round_view(quiz: ClassQuiz, at: Round) -> discord.ui.View:
    """Under a question: its options while a vote is open, and the host's controls."""
    view = discord.ui.View(timeout=None)
    vote = quiz.standing.vote
    if vote is not None:
        options = at.posted.question.options
        plain = fit_on_buttons(options)
        for choice, text in enumerate(options):
            view.add_item(OptionButton(quiz.id, at.position, vote, choice, text if plain else LETTERS[choice]))
    return _with_controls(view, quiz)


def control_view(quiz: ClassQuiz) -> discord.ui.View:
    """Under an answer: the host's controls alone."""
    return _with_controls(discord.ui.View(timeout=None), quiz)


def _with_controls(view: discord.ui.View, quiz: ClassQuiz) -> discord.ui.View:
    for action in CONTROLS:
        if not (action == "skip" and quiz.standing.phase is Phase.REVEALED):
            view.add_item(ControlButton(quiz.id, action, quiz.standing.paused))
    return view


async def _found(interaction: Interaction, number: int) -> ClassQuiz:
    quiz = await class_quiz.get(interaction.client.store, number)
    if quiz is None:
        raise Refused(GONE)
    return quiz


def team_of(member: discord.abc.User) -> str:
    """The name of a member's team, or ""."""
    roles = member.roles if isinstance(member, discord.Member) else []
    return next((role.name for role in roles if role.name.casefold().startswith(TEAM_PREFIX)), "")


class OptionButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"class:(?P<quiz>\d+):(?P<position>\d+):(?P<vote>[12]):(?P<choice>\d+)",
):
    """One option. Its id names quiz, question, vote and place, and says nothing of right or wrong."""

    def __init__(self, quiz: int, position: int, vote: int, choice: int, label: str = "?") -> None:
        custom_id = f"class:{quiz}:{position}:{vote}:{choice}"
        super().__init__(discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=custom_id))
        self.quiz, self.position, self.vote, self.choice = quiz, position, vote, choice

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        quiz = await _found(interaction, self.quiz)
        rounds = await class_quiz.rounds(bot.store, quiz.id)
        if self.position >= len(rounds) or self.choice >= len(rounds[self.position].posted.question.options):
            raise Refused(GONE)
        now = interaction.client.now()
        before = await class_quiz.record(
            bot.store,
            quiz.id,
            self.position,
            self.vote,
            interaction.user.id,
            self.choice,
            seconds=quiz.plan.elapsed_s(quiz.standing, now),
            team=team_of(interaction.user) if quiz.plan.teams else "",
            now=now,
        )
        question = rounds[self.position].posted.question
        sentence = recorded_sentence(question.options[self.choice], before, self.choice, quiz)
        view = None
        if self.vote == 1:
            view = discord.ui.View(timeout=None).add_item(GuessMenu(quiz.id, self.position, question.options))
        await say(interaction, sentence, view=view)
        bot.dispatch("class_quiz_changed", quiz.id)


class GuessMenu(
    Durable,
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=r"class-guess:(?P<quiz>\d+):(?P<position>\d+)",
):
    """Which wrong option most of the others will take: half a point for whoever knows."""

    def __init__(self, quiz: int, position: int, options: tuple[str, ...] = ("?",)) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id=f"class-guess:{quiz}:{position}",
                placeholder="Half a point more: which wrong option will most take?",
                options=[
                    discord.SelectOption(label=shorten(f"{LETTERS[place]}: {text}", 100), value=str(place))
                    for place, text in enumerate(options)
                ],
            )
        )
        self.quiz, self.position = quiz, position

    async def press(self, interaction: Interaction) -> None:
        assert interaction.data is not None
        choice = int(interaction.data["values"][0])  # type: ignore[typeddict-item]
        quiz = await _found(interaction, self.quiz)
        now = interaction.client.now()
        await class_quiz.guess(interaction.client.store, quiz.id, self.position, interaction.user.id, choice, now)
        sentence = f"You expect most mistakes at {LETTERS[choice]}. We'll see when the answer is shown."
        await say(interaction, sentence)


class ControlButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"class-host:(?P<quiz>\d+):(?P<action>pause|next|skip|end)",
):
    """The host's controls. Everybody sees them; only the host and staff may use them."""

    def __init__(self, quiz: int, action: str, paused: bool = False) -> None:
        label = "Go on" if action == "pause" and paused else CONTROLS[action]
        style = discord.ButtonStyle.danger if action == "end" else discord.ButtonStyle.primary
        super().__init__(
            discord.ui.Button(label=label, style=style, custom_id=f"class-host:{quiz}:{action}", row=CONTROL_ROW)
        )
        self.quiz, self.action = quiz, action

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        quiz = await _found(interaction, self.quiz)
        if not (bot.is_staff(interaction.user) or await class_quiz.is_host(bot.store, quiz, interaction.user.id)):
            raise Refused(HOST_ONLY)
        if quiz.ended:
            raise Refused("This quiz is over.")
        now = interaction.client.now()
        plan, standing = quiz.plan, quiz.standing
        skip = self.action == "skip"
        after: Standing | None = None
        match self.action:
            case "pause":
                after = rules.resume(standing, now) if standing.paused else rules.pause(standing, now)
            case "next":
                after = rules.advance(plan, standing, now)
            case "skip":
                after = rules.next_question(plan, standing, now)
        await interaction.response.defer()
        if await class_quiz.move(bot.store, quiz, after, now, skip=skip):
            bot.dispatch("class_quiz_changed", quiz.id, at_once=True)


BUTTONS = (OptionButton, GuessMenu, ControlButton)
