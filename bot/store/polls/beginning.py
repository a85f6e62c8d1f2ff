"""How a series begins: written down with its trials, its draw and its seal before anything is posted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Refused
from bot.rules.blind_poll import TrialDraw, seal
from bot.store import clips, members
from bot.store.clips import NewClip
from bot.store.connection import Store
from bot.store.polls.series import ONE_AT_A_TIME, Kind, Pace, Series, known

REMOVED_MEANWHILE = "A clip was removed while the poll was being prepared; please start it again."


@dataclass(frozen=True, slots=True)
class PreparedTrial:
    """Everything of a trial, made before anything is posted. `human`: a clip of the collection, or a piece that joins
    it with this trial; `human_sound` is what is posted of it."""

    draw: TrialDraw
    human: int | NewClip
    human_sound: bytes
    model: NewClip
    model_sound: bytes
    human_midi: bytes = b""
    """what both sides play; empty for a recording"""
    model_midi: bytes = b""


@dataclass(frozen=True, slots=True)
class NewSeries:
    """What a series starts with. `started_by` is a Discord id."""

    guild_id: int
    channel_id: int
    started_by: int
    closes_at: float | None
    title: str = ""
    pace: Pace = "days"
    draw_seed: int = 0
    recordings: bool = False
    matched: bool = True
    plan: Mapping[str, Any] = field(default_factory=dict)
    request: int | None = None
    """the interaction that asked for it"""


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """A general vote."""

    text: str
    options: Sequence[str]
    most_choices: int = 1
    is_open: bool = False
    """names are shown with the result"""
    quorum: int = 0


async def record(store: Store, new: NewSeries, prepared: Sequence[PreparedTrial], salt: str, now: float) -> Series:
    """Write down a whole listening series: clips, draw and seal, before anything is posted.

    Raises Refused when a series is open in the channel, or a clip was removed meanwhile."""
    try:
        async with store.transaction() as transaction:
            number = await _insert(
                transaction, new, "listening", salt, seal([trial.draw.answer for trial in prepared], salt), now
            )
            for place, trial in enumerate(prepared, start=1):
                human = trial.human
                if isinstance(human, NewClip):
                    human = await clips.known_or_new(transaction, human, trial.human_sound, now)
                elif await clips.is_removed(transaction, human):
                    raise Refused(REMOVED_MEANWHILE)
                model = await clips.add_within(transaction, trial.model, trial.model_sound, now)
                await transaction.execute(
                    "INSERT INTO trials (series, number, design, is_catch, human_clip, ai_clip, answer, band_seed,"
                    " human_sound, human_midi, model_midi) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        number,
                        place,
                        trial.draw.design,
                        trial.draw.is_catch,
                        human,
                        model,
                        trial.draw.answer,
                        trial.draw.band_seed,
                        trial.human_sound,
                        trial.human_midi or None,
                        trial.model_midi or None,
                    ),
                )
    except sqlite3.IntegrityError as error:
        if "series.channel_id" not in str(error):
            raise
        raise Refused(ONE_AT_A_TIME) from error
    return await known(store, number)


async def record_question(store: Store, new: NewSeries, question: NewQuestion, now: float) -> Series:
    """Write down a general vote: a series of one question."""
    async with store.transaction() as transaction:
        number = await _insert(transaction, new, "question", "", "", now)
        await transaction.execute(
            "INSERT INTO trials (series, number, design, answer, band_seed, question, options, most_choices, is_open,"
            " quorum) VALUES (?, 1, 'question', '', 0, ?, ?, ?, ?, ?)",
            (
                number,
                question.text,
                json.dumps(list(question.options), ensure_ascii=False),
                question.most_choices,
                question.is_open,
                question.quorum,
            ),
        )
    return await known(store, number)


async def _insert(transaction: Any, new: NewSeries, kind: Kind, salt: str, sealed: str, now: float) -> int:
    number: int = await transaction.insert(
        "INSERT INTO series (kind, pace, title, guild_id, channel_id, started_by, draw_seed, recordings, matched, salt,"
        " seal, plan, prepared_at, closes_at, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kind,
            new.pace,
            new.title,
            new.guild_id,
            new.channel_id,
            await members.number_of(transaction, new.started_by, now),
            new.draw_seed,
            new.recordings,
            new.matched,
            salt,
            sealed,
            json.dumps(dict(new.plan), ensure_ascii=False),
            now,
            new.closes_at,
            new.request,
        ),
    )
    return number
