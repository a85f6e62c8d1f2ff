"""From a question to its answer: what the engine computed, the card, the documentation, the course's own notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import discord

from bot.answering.jobs import one_answer
from bot.answering.text import MAX_EMBED
from bot.client import Interaction
from bot.store.lessons import notes, unanswered
from cogs.ask.buttons import FITS_A_BUTTON, answer_view
from cogs.ask.cards import calculation_embed, card_embed, entry_embed, quotes_embed, related_line, unknown_sentence
from cogs.ask.unanswered import KEPT, TakeBackButton
from engine.contract import engine_pb2 as pb

LONGEST_KEPT = 1000
QUOTES_ROOM = 1800
"""Characters of the 6000 that all embeds of a message share."""


@dataclass
class Shown:
    """What an answer shows."""

    content: str | None = None
    embeds: list[discord.Embed] = field(default_factory=list)
    card: pb.Card | None = None
    symbol: str = ""
    near: Sequence[pb.Card] = ()
    known: bool = True


async def answer_question(interaction: Interaction, question: str, *, private: bool = False) -> None:
    """Answer by computing or quoting, or say that nothing here answers. Raises EngineError."""
    async with one_answer(interaction, private=private) as answer:
        bot, guild_id = interaction.client, interaction.guild_id
        passages: list[pb.Passage] = []
        aliases: list[pb.Alias] = []
        if guild_id is not None:
            found = await notes.candidates(bot.store, guild_id, question)
            passages = [pb.Passage(file=one.file, heading=one.heading, text=one.text) for one in found]
            known = await unanswered.aliases(bot.store, guild_id)
            aliases = [pb.Alias(question=asked, card_id=card) for asked, card in known]
        reply = await bot.engine.ask(question, passages=passages, aliases=aliases)
        shown = compose(reply, question, passages)
        view = answer_view(shown.card, shown.symbol, shown.near, question)
        if not shown.known and not private and guild_id and await unanswered.is_kept(bot.store, guild_id):
            assert interaction.channel_id is not None
            number = await unanswered.add(
                bot.store, guild_id, interaction.channel_id, interaction.user.id, question[:LONGEST_KEPT], bot.now()
            )
            shown.content = f"{shown.content}\n{KEPT}"
            view.add_item(TakeBackButton(number))
        message_id = await answer.finish(content=shown.content, embeds=shown.embeds, view=view)
        if len(question) > FITS_A_BUTTON:
            bot.services.asked.keep(message_id, question)


def compose(reply: pb.AskReply, question: str, passages: Sequence[pb.Passage]) -> Shown:
    """What is shown, best first: the calculation alone; else the card, or the documentation; the notes below."""
    quoted = [passages[place] for place in reply.quotes if place < len(passages)]
    calculation = reply.calculation
    if calculation.answer:
        return Shown(embeds=[calculation_embed(calculation)], near=reply.cards[:2] if reply.known else ())
    shown = Shown()
    room = MAX_EMBED - (QUOTES_ROOM if quoted else 0)
    if reply.known and reply.cards:
        best, *others = reply.cards
        shown.card = best
        shown.embeds.append(card_embed(best, room))
        shown.content = related_line(others) if others else None
        shown.symbol = reply.entries[0].name if reply.entries else best.symbol
    elif reply.entries:
        shown.embeds.append(entry_embed(reply.entries[0], room))
        shown.near = reply.cards
    if quoted:
        shown.embeds.append(quotes_embed(quoted, QUOTES_ROOM))
    if not shown.embeds:
        shown.known = False
        shown.near = reply.cards
        shown.content = calculation.problem or unknown_sentence(question, reply.cards)
    return shown
