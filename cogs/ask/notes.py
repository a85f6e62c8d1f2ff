"""What staff read about the course's notes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answering.text import MAX_CONTENT, counted, named, shorten
from bot.client import Woodshed
from bot.errors import Refused
from bot.store.lessons import notes
from bot.store.lessons.notes import Note
from engine.contract import engine_pb2 as pb

LONGEST_NAME = 100


async def keep(bot: Woodshed, guild_id: int, filename: str, reply: pb.ReadNotesReply, member_id: int) -> str:
    """Store what was read of a file; the sentence for staff. Raises Refused."""
    file = filename[-LONGEST_NAME:]
    passages = [(passage.heading, passage.text) for passage in reply.passages]
    if not await notes.put(bot.store, guild_id, file, passages, member_id, bot.now()):
        raise Refused(f"This server already has {notes.MOST_FILES} files. `/notes remove` makes room.")
    cut = (
        " It's very long, so I only kept the first part; split the file to have all of it quoted." if reply.cut else ""
    )
    return f"`/ask` now quotes **{named(file)}** ({counted(len(passages), 'passage')}).{cut}"


def listed(found: Sequence[Note]) -> str:
    if not found:
        return "No notes yet. `/notes add` takes .md, .txt, .pdf, .ipynb and .py files."
    lines = [f"**{named(note.file)}**: {counted(note.passages, 'passage')}" for note in found]
    return shorten("\n".join(lines), MAX_CONTENT)


__all__ = ["keep", "listed"]
