"""What stands under a question in class: its options, and the host's controls."""

from __future__ import annotations

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import take
from bot.client import Interaction
from bot.errors import Refused
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Phase, Standing
from bot.store.lessons import class_quiz
from bot.store.lessons.class_quiz import ClassQuiz, Round
from cogs.quiz.kinds import add_answers
from cogs.quiz.taking import find_quiz, place_of_vote

HOST_ONLY = "Only the quiz's host and the course staff can use these buttons."
CONTROLS = {"next": "Next", "pause": "Pause", "skip": "Skip question", "end": "End quiz"}
CONTROL_ROW = 4
_STYLES = {"next": discord.ButtonStyle.primary, "end": discord.ButtonStyle.danger}


def round_view(quiz: ClassQuiz, at: Round) -> discord.ui.View:
    """Under a question: its options while a vote is open, and the host's controls."""
    view = discord.ui.View(timeout=None)
    vote = quiz.standing.vote
    if vote is not None:
        add_answers(view, place_of_vote(vote), at.posted)
    return _with_controls(view, quiz)


def control_view(quiz: ClassQuiz) -> discord.ui.View:
    """Under an answer: the host's controls alone."""
    return _with_controls(discord.ui.View(timeout=None), quiz)


def _with_controls(view: discord.ui.View, quiz: ClassQuiz) -> discord.ui.View:
    for action, label in CONTROLS.items():
        if action == "skip" and quiz.standing.phase is Phase.REVEALED:
            continue
        if action == "next":
            label = _what_comes(quiz)
        elif action == "pause" and quiz.standing.paused:
            label = "Go on"
        view.add_item(ControlButton(quiz.id, action, label))
    return view


def _what_comes(quiz: ClassQuiz) -> str:
    """Where the host's next step leads, so that the button says it."""
    following = rules.advance(quiz.plan, quiz.standing, 0.0)
    if following is None:
        return "Show the ranking"
    return {
        Phase.DISCUSSION: "Talk it over",
        Phase.SECOND_VOTE: "Open the second vote",
        Phase.REVEALED: "Reveal",
        Phase.VOTE: "Next question",
    }[following.phase]


class ControlButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"class-host:(?P<quiz>\d+):(?P<action>pause|next|skip|end)",
):
    """The host's controls. Everybody sees them; only the host and staff may use them."""

    def __init__(self, quiz: int, action: str, label: str = "") -> None:
        super().__init__(
            discord.ui.Button(
                label=label or CONTROLS[action],
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=f"class-host:{quiz}:{action}",
                row=CONTROL_ROW,
            )
        )
        self.quiz, self.action = quiz, action

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        quiz = await find_quiz(interaction, self.quiz)
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
        await take(interaction)
        if await class_quiz.move(bot.store, quiz, after, now, skip=skip):
            bot.dispatch("class_quiz_changed", quiz.id, at_once=True)


BUTTONS = (ControlButton,)
