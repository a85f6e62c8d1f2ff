"""Which wrong option most of the others will take: half a point for whoever knows."""

from __future__ import annotations

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.answering.text import shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.rules.quiz import LETTERS
from bot.store.lessons import class_quiz
from cogs.quiz.questions import as_option


class GuessMenu(
    Durable,
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=r"class-guess:(?P<quiz>\d+):(?P<position>\d+)",
):
    """Offered to whoever has voted; a guess may be changed as long as the first vote is open."""

    def __init__(self, quiz: int, position: int, options: tuple[str, ...] = ("?",)) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id=f"class-guess:{quiz}:{position}",
                placeholder="For an extra half point: which wrong option will most people choose?",
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
        bot = interaction.client
        rounds = await class_quiz.rounds(bot.store, self.quiz)
        if self.position >= len(rounds) or choice >= len(rounds[self.position].posted.question.options):
            raise Refused("I no longer have this quiz; `/quiz class` starts a new one.")
        await class_quiz.guess(bot.store, self.quiz, self.position, interaction.user.id, choice, bot.now())
        expected = as_option(rounds[self.position].posted.question.options[choice], 300)
        await say(interaction, f"You expect most wrong answers to be {expected}. We'll see when the answer is shown.")
