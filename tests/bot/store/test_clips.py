"""The collection: no clip without consent, none twice, and removal that past polls survive."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.rules.blind_poll import Choice
from bot.store import Store, clips
from bot.store.clips import Kind
from bot.store.migrations import MIGRATIONS, migrate, numbered
from bot.store.polls import series
from tests.bot.store.collection import CONDITIONS, GUILD, human_clip, model_clip, open_series


async def test_a_clip_comes_back_with_its_sound_and_its_conditions(store: Store) -> None:
    number = await clips.add(store, human_clip(), b"sound", 1.0)
    (clip,) = await clips.human_clips(store, GUILD)
    assert clip.id == number
    assert (clip.title, clip.performer, clip.kind, clip.conditions) == ("Blues for Grace", "Ada", Kind.MIDI, CONDITIONS)
    assert await clips.audio(store, number) == b"sound"


def test_clips_of_before_keep_what_is_known_of_their_metre(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for number, file in numbered(MIGRATIONS):
        if number < 8:
            shutil.copy(file, before)
    migrate(tmp_path / "db", before)
    values = {
        "guild_id": 1, "source_digest": "aa", "title": "", "performer": "", "year": "", "source": "", "consent_at": 1.0,
        "added_at": 1.0, "audio": b"sound", "chords": "C7", "bars": 4, "tempo_bpm": 120.0, "instrument": "trumpet",
        "feel": "swing", "seed": 1, "model_version": "", "soundfont": "", "duration_s": 9.0, "loudness_lufs": -16.0,
        "true_peak_dbtp": -1.0,
    }  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "db")) as connection, connection:
        for kind in Kind:
            row = values | {"origin": kind.origin, "kind": kind, "source_digest": kind}
            places = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO clips ({', '.join(row)}) VALUES ({places})", tuple(row.values()))
    migrate(tmp_path / "db")
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        known = dict(connection.execute("SELECT kind, beats_per_bar FROM clips"))
        assert known == {Kind.MIDI: 0, Kind.AUDIO: 0, Kind.PIECE: 4, Kind.MODEL: 4}
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE clips SET beats_per_bar = 5")


@pytest.mark.parametrize("kind", [Kind.MIDI, Kind.AUDIO])
async def test_the_schema_itself_refuses_an_upload_without_consent(store: Store, kind: Kind) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await clips.add(store, replace(human_clip(kind=kind), consent_at=None), b"sound", 1.0)


async def test_the_same_file_is_stored_once_per_server(store: Store) -> None:
    number = await clips.add(store, human_clip(), b"sound", 1.0)
    assert await clips.find_source(store, GUILD, "aa") == number
    with pytest.raises(Refused, match=f"clip {number}"):
        await clips.add(store, human_clip(), b"sound", 2.0)
    await clips.add(store, human_clip(guild_id=GUILD + 1), b"sound", 3.0)


async def test_the_model_may_play_the_same_twice(store: Store) -> None:
    await clips.add(store, model_clip(), b"sound", 1.0)
    await clips.add(store, model_clip(), b"sound", 2.0)
    assert await clips.human_clips(store, GUILD) == []


async def test_a_removed_clip_is_silent_and_past_series_still_know_it(store: Store) -> None:
    found, (trial,) = await open_series(store, Choice.HUMAN)
    await series.close(store, found.id, 100.0)
    assert trial.human_clip is not None
    removed = await clips.remove(store, GUILD, trial.human_clip, 200.0)
    assert removed is not None
    assert removed.removed
    assert await clips.human_clips(store, GUILD) == []
    assert await clips.audio(store, trial.human_clip) is None
    assert await clips.score(store, trial.human_clip) is None, "the score is the performer's, too"
    past = await clips.get(store, trial.human_clip)
    assert past is not None
    assert past.title == "Blues for Grace"
    assert await clips.remove(store, GUILD, trial.human_clip, 201.0) is None


async def test_a_removed_clip_comes_back_under_its_number(store: Store) -> None:
    number = await clips.add(store, human_clip(), b"sound", 1.0)
    await clips.remove(store, GUILD, number, 2.0)
    assert await clips.add(store, human_clip(), b"sound again", 3.0) == number
    assert await clips.audio(store, number) == b"sound again"


async def test_nobody_removes_another_servers_clip_or_the_models(store: Store) -> None:
    human = await clips.add(store, human_clip(), b"sound", 1.0)
    model = await clips.add(store, model_clip(), b"sound", 1.0)
    assert await clips.remove(store, GUILD + 1, human, 2.0) is None
    assert await clips.remove(store, GUILD, model, 2.0) is None


@pytest.mark.parametrize("answer", list(Choice))
async def test_what_counts_as_drawn_does_not_tell_what_an_open_series_is(store: Store, answer: Choice) -> None:
    found, _ = await open_series(store, answer)
    (clip,) = await clips.human_clips(store, GUILD)
    assert (clip.times_drawn, clip.times_heard, clip.in_open_series) == (1, 0, True)
    await series.close(store, found.id, 100.0)
    (clip,) = await clips.human_clips(store, GUILD)
    assert (clip.times_drawn, clip.times_heard, clip.in_open_series) == (1, int(answer is not Choice.AI), False)


async def test_a_series_that_was_never_posted_used_nothing_up(store: Store) -> None:
    found, _ = await open_series(store, opening_message_id=None)
    await series.void(store, found.id, 50.0)
    (clip,) = await clips.human_clips(store, GUILD)
    assert (clip.times_drawn, clip.times_heard, clip.in_open_series) == (0, 0, False)


async def test_a_midi_clip_keeps_its_score_and_a_recording_has_none(store: Store) -> None:
    played = await clips.add(store, human_clip("aa"), b"sound", 1.0)
    recorded = await clips.add(store, human_clip("cc", Kind.AUDIO), b"sound", 1.0)
    assert [clip.has_score for clip in await clips.human_clips(store, GUILD)] == [True, False]
    assert (await clips.score(store, played), await clips.score(store, recorded)) == (b"MThd", None)
