"""The buttons under an answer: another card, the documentation, a question about the topic, and the course staff."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import discord

from bot.answering.access import take_turn
from bot.answering.durable import Durable, DurableForm, fields_of
from bot.answering.first_answers import open_form, say
from bot.answering.jobs import one_answer
from bot.answering.text import MAX_DESCRIPTION, MAX_EMBED, MAX_LABEL, plain, shorten
from bot.client import Interaction
from bot.errors import Refused
from cogs.ask.cards import COLOUR, card_embed, entry_embed, quoted
from engine.contract import engine_pb2 as pb

MAX_CUSTOM_ID = 100
MOST_CARDS = 2
FITS_A_BUTTON = MAX_CUSTOM_ID - len("ask-staff:")
"""Characters of a question that stand in a button's id, and outlive a restart."""
LONGEST_FOR_STAFF = 3000
FITS_A_MESSAGE = 1300
"""Characters of a question that fit into a message beside two pings; a longer one goes into an embed."""
LONGEST_THREAD_NAME = 90
NO_THREADS = "I'm not allowed to open a thread here. You can ask staff in this channel instead."


def answer_view(card: pb.Card | None, symbol: str, near: Sequence[pb.Card], question: str = "") -> discord.ui.View:
    """What one can do after an answer."""
    view = discord.ui.View(timeout=None)
    following = [(link.id, link.title) for link in card.see] if card else [(one.id, one.title) for one in near]
    for card_id, title in following[:MOST_CARDS]:
        view.add_item(CardNextButton(card_id, title))
    if symbol and len(symbol) <= MAX_CUSTOM_ID - len("docs:"):
        view.add_item(DocumentationButton(symbol))
    if card is not None:
        # `cogs/quiz/follow_ups.py` knows this button by its id.
        view.add_item(discord.ui.Button(label="Quiz me on this", custom_id=f"quiz-me:{card.id}"))
    if question:
        view.add_item(AskStaffButton(question))
    return view


class CardNextButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"card-next:(?P<card>[a-z0-9-]+)"
):
    """Opens another card, for whoever presses."""

    def __init__(self, card: str, title: str = "?") -> None:
        super().__init__(
            discord.ui.Button(
                label=shorten(title, MAX_LABEL), style=discord.ButtonStyle.primary, custom_id=f"card-next:{card}"
            )
        )
        self.card = card

    async def press(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            reply = await interaction.client.engine.ask(card_id=self.card)
            card = reply.cards[0]
            await answer.finish(embeds=[card_embed(card, MAX_EMBED)], view=answer_view(card, card.symbol, ()))


class DocumentationButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"docs:(?P<symbol>[\w.]+)"
):
    """Opens the page of PyTorch's documentation, with its example."""

    def __init__(self, symbol: str) -> None:
        label = f"Example: {symbol.rpartition('.')[2]}"
        super().__init__(discord.ui.Button(label=shorten(label, MAX_LABEL), custom_id=f"docs:{symbol}"))
        self.symbol = symbol

    async def press(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            reply = await interaction.client.engine.ask(symbol=self.symbol)
            await answer.finish(embeds=[entry_embed(reply.entries[0], MAX_EMBED)])


class AskStaffButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"(?s:ask-staff:(?P<question>.*))"
):
    """Opens a form with the question in it, and from there a thread with the course staff."""

    def __init__(self, question: str) -> None:
        custom_id = f"ask-staff:{shorten(question.strip(), FITS_A_BUTTON)}"  # an ellipsis: finish it
        super().__init__(discord.ui.Button(label="Ask staff", custom_id=custom_id))
        self.question = question

    async def press(self, interaction: Interaction) -> None:
        whole = interaction.client.services.asked.of(interaction.message, self.question)
        await open_form(interaction, StaffForm(whole))


class StaffForm(DurableForm, title="Ask the course staff", template="ask-staff-form"):
    """The question, as staff will read it."""

    question: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Your question, in a thread everyone can read",
        custom_id="question",
        style=discord.TextStyle.paragraph,
        max_length=LONGEST_FOR_STAFF,
    )

    def __init__(self, question: str) -> None:
        super().__init__(custom_id="ask-staff-form")
        self.question.default = shorten(question, LONGEST_FOR_STAFF)

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        question = fields_of(interaction).get("question", "").strip()
        if not question:
            raise Refused("There was nothing in your question; please type it again.")
        await ask_staff(interaction, question)


async def ask_staff(interaction: Interaction, question: str) -> None:
    """Open a thread with the question in it; inside a thread, put it there. Staff's role and the asker are pinged.

    Raises Refused where the bot may not, and for whoever asks too often."""
    channel, guild = interaction.channel, interaction.guild
    if guild is None or not isinstance(channel, discord.TextChannel | discord.Thread):
        raise Refused(NO_THREADS)
    permissions = interaction.app_permissions
    allowed = permissions.send_messages_in_threads
    if isinstance(channel, discord.TextChannel):
        allowed = allowed and permissions.create_public_threads
    if not allowed:
        raise Refused(NO_THREADS)
    take_turn(interaction.client.services.staff_questions, interaction)
    if isinstance(channel, discord.TextChannel):
        name = shorten(" ".join(plain(question).split()), LONGEST_THREAD_NAME) or "A question"
        place = await channel.create_thread(name=name, type=discord.ChannelType.public_thread)
    else:
        place = channel
    role = interaction.client.staff_roles.role_of(guild)
    staff = f"{role.mention} " if role else ""
    text, embeds = quoted(question, 1700), []
    if len(question) > FITS_A_MESSAGE and permissions.embed_links:
        text, embeds = "", [discord.Embed(description=quoted(question, MAX_DESCRIPTION), colour=COLOUR)]
    await place.send(
        f"{staff}{interaction.user.mention} asks:\n{text}",
        embeds=embeds,
        allowed_mentions=discord.AllowedMentions(roles=[role] if role else False, users=[interaction.user]),
    )
    await say(interaction, f"Your question is in {place.mention}.")
