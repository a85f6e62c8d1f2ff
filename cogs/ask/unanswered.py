"""The questions that nothing answered, as staff see and settle them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import discord

from bot.answering.access import guild_id_of, require_staff
from bot.answering.durable import MOST_OPTIONS, Durable, DurableForm, fields_of, number
from bot.answering.first_answers import open_form, say
from bot.answering.text import MAX_CHOICE, counted, named, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.store import Store
from bot.store.lessons import notes, unanswered
from bot.store.lessons.unanswered import Unanswered
from cogs.ask.cards import COLOUR, quoted

KEPT = "I've kept your question for the course staff; if they answer it, I'll ping you."
SETTLED = "That question has already been settled. `/unanswered` shows the ones that are left."
CANT_POST = "I can't post in the channel where this was asked. Please let me write there, or answer it yourself."
LONGEST_ANSWER = 1500


async def overview(store: Store, guild_id: int) -> tuple[discord.Embed, discord.ui.View]:
    """All of a server's open questions, and a menu to choose one."""
    kept = await unanswered.is_kept(store, guild_id)
    found = await unanswered.of_guild(store, guild_id)
    view = discord.ui.View(timeout=None)
    if not kept:
        text = (
            "I'm not keeping questions that I can't answer. `/unanswered keep:True` makes me keep them, and I'll tell "
            "members that I do."
        )
    elif not found:
        text = "No open questions. `/unanswered keep:False` ends that."
    else:
        lines = [f"<t:{int(one.asked_at)}:d> {named(shorten(one.question, 120))}" for one in found[:MOST_OPTIONS]]
        text = "\n".join([f"{counted(len(found), 'question')}, newest first.", *lines])
        view.add_item(PickMenu(found))
    return discord.Embed(title="Unanswered questions", description=text, colour=COLOUR), view


class PickMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"unanswered-pick"):
    """Chooses the question to settle."""

    def __init__(self, found: list[Unanswered] | None = None, select: discord.ui.Select[discord.ui.View] | None = None):
        options = [
            discord.SelectOption(label=shorten(" ".join(one.question.split()), MAX_CHOICE) or "?", value=str(one.id))
            for one in (found or [])[:MOST_OPTIONS]
        ]
        super().__init__(
            select or discord.ui.Select(placeholder="Settle a question", options=options, custom_id="unanswered-pick")
        )

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        one = await open_question(interaction, int(self.item.values[0]))
        view = discord.ui.View(timeout=None)
        for button in (AnswerItButton, GiveCardButton, DropButton):
            view.add_item(button(one.id))
        await say(interaction, f"{quoted(one.question, 1500)}\nWhat should I do with it?", view=view)


async def open_question(interaction: Interaction, number: int) -> Unanswered:
    """Raises Refused where it's settled already."""
    one = await unanswered.get(interaction.client.store, guild_id_of(interaction), number)
    if one is None:
        raise Refused(SETTLED)
    return one


class QuestionButton(Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"(?!)"):
    """Stands under one open question. A subclass has the template of its custom id, its `name` there, and a label."""

    name: ClassVar[str]
    label: ClassVar[str]
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label=self.label, style=self.style, custom_id=f"{self.name}:{number}"))
        self.number = number


class AnswerItButton(QuestionButton, template=r"unanswered-answer:(?P<number>\d+)"):
    """Opens a form for the answer."""

    name, label, style = "unanswered-answer", "Answer it", discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        await open_form(interaction, AnswerForm(await open_question(interaction, self.number)))


class GiveCardButton(QuestionButton, template=r"unanswered-card:(?P<number>\d+)"):
    """Opens a form for the card that answers."""

    name, label = "unanswered-card", "A card answers it"

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        await open_form(interaction, CardForm(await open_question(interaction, self.number)))


class DropButton(QuestionButton, template=r"unanswered-drop:(?P<number>\d+)"):
    """Settles a question without an answer."""

    name, label = "unanswered-drop", "Drop it"

    async def press(self, interaction: Interaction) -> None:
        require_staff(interaction)
        if not await unanswered.settle(interaction.client.store, guild_id_of(interaction), self.number):
            raise Refused(SETTLED)
        await say(interaction, "Dropped.")


class TakeBackButton(QuestionButton, template=r"unanswered-mine:(?P<number>\d+)"):
    """For whoever asked: don't keep it."""

    name, label = "unanswered-mine", "Don't keep it"

    async def press(self, interaction: Interaction) -> None:
        store, guild_id = interaction.client.store, guild_id_of(interaction)
        if not await unanswered.settle(store, guild_id, self.number, asked_by=interaction.user.id):
            raise Refused("Only the member who asked can take a question back, and only while it's open.")
        await say(interaction, "It's forgotten.")


class AnswerForm(DurableForm, title="Answer a question", template=r"unanswered-answered:(?P<number>\d+)"):
    """The answer goes to the channel where the question was asked, and is quoted by /ask from then on."""

    answer: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Your answer", custom_id="answer", style=discord.TextStyle.paragraph, max_length=LONGEST_ANSWER
    )

    def __init__(self, one: Unanswered) -> None:
        super().__init__(custom_id=f"unanswered-answered:{one.id}")

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        require_staff(interaction)
        bot, guild_id = interaction.client, guild_id_of(interaction)
        one = await open_question(interaction, number(match["number"]))
        answer = typed(interaction, "answer")
        await tell_asker(interaction, one, f"{named(interaction.user.display_name)} answers:\n{quoted(answer, 1000)}")
        await notes.add_answer(bot.store, guild_id, one.question[:200], answer, interaction.user.id, bot.now())
        await unanswered.settle(bot.store, guild_id, one.id)
        await say(interaction, "Posted. From now on, `/ask` will quote your answer.")


class CardForm(DurableForm, title="A card answers it", template=r"unanswered-carded:(?P<number>\d+)"):
    """Makes the question another name of a card."""

    card: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="The card's title, or words for it", custom_id="card", max_length=100
    )

    def __init__(self, one: Unanswered) -> None:
        super().__init__(custom_id=f"unanswered-carded:{one.id}")

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        require_staff(interaction)
        bot, guild_id = interaction.client, guild_id_of(interaction)
        one = await open_question(interaction, number(match["number"]))
        reply = await bot.engine.ask(typed(interaction, "card"))
        if not reply.known or not reply.cards:
            raise Refused("I don't know a card by that name. `/ask` with a few words finds its title.")
        card = reply.cards[0]
        await tell_asker(
            interaction, one, f"The card **{named(card.title)}** answers this: `/ask {named(card.title)}`."
        )
        await unanswered.add_alias(bot.store, guild_id, one.question, card.id, bot.now())
        await unanswered.settle(bot.store, guild_id, one.id)
        await say(interaction, f"From now on the card **{named(card.title)}** answers this question.")


def typed(interaction: Interaction, field: str) -> str:
    """What stands in a form's field. Raises Refused where that is nothing."""
    text = fields_of(interaction).get(field, "").strip()
    if not text:
        raise Refused("There was nothing in your answer; please type it again.")
    return text


async def tell_asker(interaction: Interaction, one: Unanswered, answer: str) -> None:
    """Post in the channel of the question, with a ping for its asker alone. Raises Refused."""
    channel = interaction.client.get_partial_messageable(one.channel_id, guild_id=interaction.guild_id)
    asker = f"<@{one.asked_by}> " if one.asked_by else ""
    users = [discord.Object(one.asked_by)] if one.asked_by else False
    try:
        await channel.send(
            f"{asker}asked:\n{quoted(one.question, 500)}\n{answer}",
            allowed_mentions=discord.AllowedMentions(users=users, roles=False, everyone=False),
        )
    except (discord.Forbidden, discord.NotFound) as error:
        raise Refused(CANT_POST) from error


BUTTONS = (PickMenu, AnswerItButton, GiveCardButton, DropButton, TakeBackButton)
FORMS = (AnswerForm, CardForm)
