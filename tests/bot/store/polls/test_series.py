"""Series: written down whole before anything is posted, sealed, closed once; held by the schema itself."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.rules.blind_poll import Choice, seal
from bot.store import Store, clips
from bot.store.migrations import MIGRATIONS, migrate
from bot.store.polls import beginning, series
from bot.store.polls.beginning import NewQuestion, NewSeries, PreparedTrial
from tests.bot.store.collection import CHANNEL, GRACE, GUILD, SALT, drawn, human_clip, model_clip, open_series


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trials SET answer = 'B'",
        "UPDATE trials SET human_clip = ai_clip",
        "UPDATE trials SET number = 7",
        "UPDATE series SET salt = 'other'",
        "UPDATE series SET seal = 'other'",
        "UPDATE series SET draw_seed = 1",
        "UPDATE series SET plan = '{}'",
    ],
)
async def test_draw_plan_and_seal_never_change(store: Store, statement: str) -> None:
    await open_series(store, Choice.A)
    with pytest.raises(sqlite3.IntegrityError, match="the draw is final"):
        await store.execute(statement)


async def test_the_seal_is_of_the_answers_in_order(store: Store) -> None:
    found, trials = await open_series(store, Choice.B, Choice.HUMAN, Choice.A)
    assert [(trial.number, trial.answer) for trial in trials] == [(1, "B"), (2, "human"), (3, "A")]
    assert found.seal == seal(["B", "human", "A"], SALT)


async def test_a_series_is_written_whole_or_not_at_all(store: Store) -> None:
    await clips.add(store, human_clip(), b"human sound", 1.0)
    broken = [
        PreparedTrial(drawn(Choice.A), 1, b"s", model_clip(), b"m"),
        PreparedTrial(drawn(Choice.A), 99, b"s", model_clip(), b"m"),
    ]
    with pytest.raises(sqlite3.IntegrityError):
        await beginning.record(store, NewSeries(GUILD, CHANNEL, GRACE, 100.0), broken, SALT, 5.0)
    for table in ("series", "trials"):
        assert await store.fetch_all(f"SELECT 1 FROM {table}") == []
    assert await store.fetch_all("SELECT 1 FROM clips WHERE origin = 'ai'") == []


async def test_a_piece_joins_the_collection_with_its_first_trial_and_only_once(store: Store) -> None:
    piece = human_clip("piece")
    trials = [PreparedTrial(drawn(Choice.A), piece, b"s", model_clip(), b"m") for _ in range(2)]
    recorded = await beginning.record(store, NewSeries(GUILD, CHANNEL, GRACE, 100.0), trials, SALT, 5.0)
    first, second = await series.trials(store, recorded.id)
    assert first.human_clip == second.human_clip
    assert len(await clips.human_clips(store, GUILD)) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Choice.A, [b"human rendered", b"model sound"]),
        (Choice.B, [b"model sound", b"human rendered"]),
        (Choice.HUMAN, [b"human rendered"]),
        (Choice.AI, [b"model sound"]),
    ],
)
async def test_what_is_posted_is_what_was_drawn_in_the_trials_own_rendering(
    store: Store, answer: Choice, expected: list[bytes]
) -> None:
    _, (trial,) = await open_series(store, answer)
    assert await series.sounds(store, trial) == expected


async def test_a_closed_series_is_not_opened_again(store: Store) -> None:
    found, _ = await open_series(store)
    await series.close(store, found.id, 50.0)
    with pytest.raises(sqlite3.IntegrityError, match="closed"):
        await store.execute("UPDATE series SET closed_at = NULL, announced_at = NULL")


async def test_only_one_of_five_closers_closes(store: Store) -> None:
    found, _ = await open_series(store)
    closed = await asyncio.gather(*(series.close(store, found.id, 50.0) for _ in range(5)))
    assert sorted(closed) == [False, False, False, False, True]


async def test_one_series_at_a_time_in_a_channel(store: Store) -> None:
    found, (trial,) = await open_series(store)
    with pytest.raises(Refused, match="one at a time"):
        await open_series(store)
    rows = await store.fetch_all("SELECT id FROM clips WHERE origin = 'ai'")
    assert [row["id"] for row in rows] == [trial.ai_clip], "the refused series left a clip behind"
    await open_series(store, channel_id=CHANNEL + 1)
    await series.close(store, found.id, 50.0)
    await open_series(store)


async def test_questions_may_run_beside_a_series(store: Store) -> None:
    await open_series(store)
    for text in ("Pizza?", "Pasta?"):
        await beginning.record_question(
            store, NewSeries(GUILD, CHANNEL, GRACE, 100.0), NewQuestion(text, ["yes", "no"]), 5.0
        )
    found = await series.open_in_channel(store, CHANNEL)
    assert found is not None
    assert found.kind == "listening"


async def test_overdue_series_close_and_wait_to_be_told(store: Store) -> None:
    due, _ = await open_series(store, closes_at=100.0)
    later, _ = await open_series(store, closes_at=200.0, channel_id=CHANNEL + 1)
    live, _ = await open_series(store, closes_at=None, channel_id=CHANNEL + 2)
    assert await series.next_deadline(store) == 100.0
    assert await series.close_overdue(store, 150.0) == 1
    assert [found.id for found in await series.unannounced(store)] == [due.id]
    await series.set_announced(store, due.id, 88, 151.0)
    assert await series.unannounced(store) == []
    assert await series.next_deadline(store) == later.closes_at
    assert await series.close_overdue(store, 10**9) == 1
    assert await series.open_in_channel(store, live.channel_id) == live, "a live series closes when staff say so"


async def test_what_isnt_posted_yet_is_known(store: Store) -> None:
    whole, _ = await open_series(store)
    unopened, _ = await open_series(store, channel_id=CHANNEL + 1, opening_message_id=None)
    half, _ = await open_series(store, Choice.A, Choice.B, channel_id=CHANNEL + 2, opening_message_id=None)
    await series.set_opened(store, half.id, 90)
    assert [found.id for found in await series.half_posted(store)] == [unopened.id, half.id]
    assert whole.id not in [unopened.id, half.id]
    await series.void(store, unopened.id, 50.0)
    assert [found.id for found in await series.half_posted(store)] == [half.id]
    assert await series.unannounced(store) == []


async def test_once_told_the_renderings_of_human_clips_are_let_go(store: Store) -> None:
    found, (trial,) = await open_series(store, Choice.A)
    await series.close(store, found.id, 50.0)
    await series.set_announced(store, found.id, 88, 51.0)
    await clips.remove(store, GUILD, trial.human_clip or 0, 60.0)
    with pytest.raises(Refused, match="withdrawn"):
        await series.sounds(store, trial)


async def test_a_server_that_threw_the_bot_out_ends_its_series(store: Store) -> None:
    await open_series(store)
    assert await series.leave(store, GUILD, 50.0) == 1
    assert await series.unannounced(store) == []
    assert await series.next_deadline(store) is None


def test_polls_of_before_become_series_with_their_numbers_votes_and_answers(tmp_path: Path) -> None:
    """Written by the schema of before: one closed poll with two votes, one open one, one called off."""
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:8]:
        (older / file.name).write_text(file.read_text())
    migrate(tmp_path / "db", older)
    with closing(sqlite3.connect(tmp_path / "db")) as connection, connection:
        connection.execute("INSERT INTO members (discord_id, first_seen_at) VALUES (7, 1), (8, 1)")
        clip = (
            "INSERT INTO clips (guild_id, origin, kind, source_digest, title, performer, year, source, consent_at,"
            " added_at, audio, chords, bars, tempo_bpm, instrument, feel, seed, model_version, soundfont, duration_s,"
            " loudness_lufs, true_peak_dbtp) VALUES (1, ?, ?, ?, 't', 'p', '', '', 1, 1, x'00', '', 12, 120, '', '', 1,"
            " '', '', 20, -16, -1)"
        )
        connection.execute(clip, ("human", "midi", "a"))
        connection.execute(clip, ("ai", "model", "b"))
        connection.executemany(
            "INSERT INTO polls (id, guild_id, channel_id, message_id, started_by, human_clip, ai_clip, answer,"
            " draw_seed, drawn_at, closes_at) VALUES (?, 1, ?, ?, 1, 1, 2, ?, 5, 10, 100)",
            [(4, 2, 77, "human"), (5, 3, 78, "ai"), (9, 4, None, "ai")],
        )
        connection.execute("INSERT INTO votes VALUES (4, 1, 'human', 0, 20), (4, 2, 'ai', 1, 21), (5, 2, NULL, 1, 22)")
        connection.execute("UPDATE polls SET closed_at = 100, announced_at = 101, result_message_id = 80 WHERE id = 4")
        connection.execute("UPDATE polls SET closed_at = 50, voided = 1 WHERE id = 9")
    migrate(tmp_path / "db")
    with closing(sqlite3.connect(tmp_path / "db")) as connection:
        found = connection.execute(
            "SELECT series.id, trials.id, number, answer, design, message_id, opening_message_id, closed_at, voided,"
            " announced_at, result_message_id, seal FROM trials JOIN series ON series.id = trials.series ORDER BY 1"
        ).fetchall()
        assert found == [
            (4, 4, 1, "human", "single", 77, 77, 100, 0, 101, 80, ""),
            (5, 5, 1, "ai", "single", 78, 78, None, 0, None, None, ""),
            (9, 9, 1, "ai", "single", None, None, 50, 1, None, None, ""),
        ]
        votes = connection.execute(
            "SELECT trial, member, choice, knows, voted_at FROM ballots ORDER BY 1, 2"
        ).fetchall()
        assert votes == [(4, 1, "human", 0, 20.0), (4, 2, "ai", 1, 21.0), (5, 2, None, 1, 22.0)]
