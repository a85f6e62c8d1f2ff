"""How a concept card looks."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.answering.text import MAX_DESCRIPTION, MAX_TITLE, code_block, in_words, named, plain, shorten, without_previews
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
    asked = without_previews(named(shorten(question, 200)))
    if not cards:
        return (
            f"I don't know: none of my cards answers “{asked}”.\n"
            "Please ask again in other words, and in English, or ask the course staff."
        )
    nearest = dict.fromkeys(f"**{shorten(card.title, 100)}** ({in_words(card.topic)})" for card in cards)
    return f"I'm not sure which of my cards answers “{asked}”.\nThe closest I have: {', '.join(nearest)}."


def calculation_embed(calculation: pb.AskReply.Calculation) -> discord.Embed:
    """What was understood, the result, and the working."""
    parts = []
    if calculation.asked:
        parts.append(code_block(calculation.asked, "py", 700))
    parts.append(code_block(calculation.answer, "text", 1500))
    if calculation.steps:
        parts.append("How to get there:\n" + code_block("\n".join(calculation.steps), "text", 1500))
    return discord.Embed(title="Computed", description="\n".join(parts), colour=COLOUR)


def entry_embed(entry: pb.AskReply.Entry, room: int) -> discord.Embed:
    """A page of PyTorch's documentation: signature, passage, example with what it printed here, link."""
    title = shorten(entry.name, MAX_TITLE)
    room = min(MAX_DESCRIPTION, room - len(title) - len(entry.version) - 100)
    parts = []
    if entry.signature:
        parts.append(code_block(f"{entry.name.rpartition('.')[2]}{entry.signature}", "py", 700))
    example = []
    if entry.example:
        example.append(code_block(entry.example, "py", 900))
    if entry.output:
        example.append("It prints:\n" + code_block(entry.output, "text", 800))
    left = room - sum(len(part) + 1 for part in (*parts, *example))
    parts.append(whole_fences(shorten(entry.text, left - 10)))
    embed = discord.Embed(title=title, url=entry.link, description="\n".join((*parts, *example)), colour=COLOUR)
    embed.set_footer(text=f"Documentation of {entry.version}")
    return embed


def quotes_embed(passages: Sequence[pb.Passage], room: int) -> discord.Embed:
    """Passages of the course's notes, each with its file and heading."""
    each = room // len(passages) - 320
    parts = []
    for passage in passages:
        place = f"**{named(shorten(passage.file, 100))}**"
        if passage.heading:
            place += f" › {named(shorten(passage.heading, 150))}"
        parts.append(f"{place}\n{quoted(passage.text, each)}")
    return discord.Embed(title="From the course's notes", description="\n\n".join(parts), colour=COLOUR)


def quoted(text: str, room: int) -> str:
    """A block quote that its own text can't leave: every line in it, every fence closed, links without previews."""
    text = whole_fences(shorten(without_previews(plain(text).strip()), room * 4 // 5))
    lines = [line.replace("<@", "<\u200b@").replace("@everyone", "@\u200beveryone") for line in text.split("\n")]
    return shorten_lines("\n".join(f"> {line}" for line in lines), room)


def shorten_lines(text: str, room: int) -> str:
    """Whole lines only, so that the last one doesn't lose its mark."""
    while len(text) > room and "\n" in text:
        text = text.rpartition("\n")[0]
    return text


def whole_fences(text: str) -> str:
    """`text` with its last code block closed, if a cut left it open."""
    return f"{text}\n```" if text.count("```") % 2 else text
