"""How a concept card looks."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.answering.text import MAX_DESCRIPTION, MAX_TITLE, code_block, in_words, shorten, without_previews
from engine.contract import engine_pb2 as pb

COLOUR = discord.Colour.teal()
SOURCE_LENGTH = 500


def card_embed(card: pb.Card, room: int) -> discord.Embed:
    """A card in full: text, code, what the code prints, source. At most `room` characters in all."""
    title = shorten(card.title, MAX_TITLE)
    room = min(MAX_DESCRIPTION, room - len(title) - len(card.topic))
    parts = []
    if card.code:
        parts.append(code_block(card.code, "py", min(1500, room // 3)))
    if card.output:
        parts.append("It prints:\n" + code_block(card.output, "text", min(1000, room // 4)))
    if card.source:
        parts.append(f"Source: {shorten(card.source, SOURCE_LENGTH)}")
    parts.insert(0, shorten(card.text, room - sum(len(part) + 1 for part in parts)))
    embed = discord.Embed(title=title, description="\n".join(parts), colour=COLOUR)
    embed.set_footer(text=in_words(card.topic))
    return embed


def related_line(cards: Sequence[pb.Card]) -> str:
    """The other cards that fit, by title."""
    return "See also: " + ", ".join(f"**{shorten(card.title, 100)}** ({in_words(card.topic)})" for card in cards)


def unknown_sentence(question: str, cards: Sequence[pb.Card]) -> str:
    """Said instead of an answer that would be a guess."""
    asked = without_previews(discord.utils.escape_markdown(shorten(question, 200)))
    sentence = f"I don't know: none of my cards answers “{asked}”."
    if cards:
        nearest = dict.fromkeys(f"**{shorten(card.title, 100)}** ({in_words(card.topic)})" for card in cards)
        sentence += f"\nThe closest ones are {', '.join(nearest)}."
    return sentence
