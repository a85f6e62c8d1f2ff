"""A series as it starts: prepared whole, sealed, fair, and telling nobody anything."""

from __future__ import annotations

import json
import re
from typing import Any

import discord
import pytest

from bot.answering.live_reply import LiveReply
from bot.rules.blind_poll import Choice, seal
from bot.store import clips
from engine.contract import engine_pb2 as pb
from tests.cogs.poll.lesson import add_clip, everything, fields, latest, messages, opening, start, trials
from tests.conftest import Club
from tests.engine_double import Behaviour, midi, ogg

HUMAN_SOUND, MODEL_SOUND = ogg(frequency_hz=330.0), ogg()


# ------------------------------------------------------------ what is posted


@pytest.mark.parametrize(
    ("answer", "sounds"),
    [
        (Choice.HUMAN, [HUMAN_SOUND]),
        (Choice.AI, [MODEL_SOUND]),
        (Choice.A, [HUMAN_SOUND, MODEL_SOUND]),
        (Choice.B, [MODEL_SOUND, HUMAN_SOUND]),
    ],
)
async def test_what_was_drawn_is_posted(club: Club, answer: Choice, sounds: list[bytes]) -> None:
    await start(club, answer)
    (message,) = await messages(club)
    assert [await attachment.read() for attachment in message.attachments] == sounds
    (trial,) = await trials(club)
    assert trial.answer == answer


@pytest.mark.parametrize("side", [(Choice.HUMAN, Choice.AI), (Choice.A, Choice.B)])
async def test_nothing_but_the_sound_differs_between_the_answers(club: Club, side: tuple[Choice, Choice]) -> None:
    """Opening, message, file names, alt texts, buttons and the calls to the engine are the same, whatever was drawn."""
    seen = []
    for answer in (side[0], side[1], side[0]):
        club.double.requests.clear()
        await start(club, answer)
        (message,), first = await messages(club), await opening(club)
        found = await latest(club)
        row = json.dumps([component.to_dict() for component in message.components])
        files = [(one.filename, one.description, one.content_type) for one in message.attachments]
        embeds = [e.to_dict() for m in (first, message) for e in m.embeds]
        look = json.dumps([message.content, embeds, files, row])
        look = look.replace(found.seal, "SEAL").replace(str(int(found.closes_at or 0)), "T")
        look = re.sub(rf"clip-{found.id}(?=[AB.])|vote:{found.id}:|Series {found.id}", "N", look)
        requests = [(type(request).__name__, request.for_trial, request.max_bytes) for request in club.double.requests]
        seen.append((look, requests))
        await club.instructor.slash(club.channel, "poll close")
    looks = [re.sub(r"A verdict takes.*?tell;", "", look) for look, _ in seen]
    assert looks[0] == looks[1] == looks[2]
    assert [name for name, _, _ in seen[0][1]] == ["RenderRequest", "PlayRequest"]
    assert seen[0][1] == seen[1][1]
    assert all(for_trial for _, for_trial, _ in seen[0][1])
    assert len({size for _, _, size in seen[0][1]}) == 1


async def test_the_seal_stands_before_the_first_vote_and_binds_the_answers(club: Club) -> None:
    await start(club, Choice.A, Choice.B, Choice.A)
    found = await latest(club)
    shown = fields(await opening(club))["Sealed"]
    assert found.seal in shown
    assert found.salt not in shown
    assert found.seal == seal(["A", "B", "A"], found.salt)
    assert len(found.salt) == 64


async def test_the_plan_stands_in_the_opening_and_is_stored_with_the_series(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    found = await latest(club)
    plan = fields(await opening(club))["The plan, fixed before the first vote"]
    assert found.plan["margin"] == 0.6
    assert "less than 60 % of the time" in plan
    assert f"about {found.plan['votes_needed']} votes" in plan


async def test_several_trials_stand_in_a_thread_of_their_own(club: Club) -> None:
    await start(club, Choice.A, Choice.B, Choice.B, title="Friday")
    (thread,) = club.channel.threads
    found = await latest(club)
    assert found.thread_id == thread.id
    titles = [message.embeds[0].title for message in await messages(club)]
    assert titles == [f"Pair {number} of 3 · Friday" for number in (1, 2, 3)]


async def test_where_threads_are_not_allowed_they_stand_in_the_channel(club: Club) -> None:
    forbidden = discord.PermissionOverwrite(create_public_threads=False)
    channel = club.guild.create_text_channel("plain", overwrites={club.guild.me: forbidden})
    await club.instructor.slash(channel, "poll start", trials=2, closes_in=10)
    assert (await latest(club)).thread_id is None
    assert len(await messages(club)) == 2


async def test_a_series_can_be_posted_in_another_channel(club: Club) -> None:
    elsewhere = club.guild.create_text_channel("jazz-club")
    result = await start(club, channel=elsewhere)
    assert str(elsewhere.id) in result.response.content
    assert (await latest(club)).channel_id == elsewhere.id
    assert club.channel.last_message is None


async def test_a_mixed_series_has_pairs_and_singles(club: Club) -> None:
    await start(club, trials=5, design="mixed")
    assert [trial.design for trial in await trials(club)] == ["pair"] * 3 + ["single"] * 2


async def test_catch_trials_are_made_of_the_same_solo_with_its_pitches_shuffled(club: Club) -> None:
    await start(club, trials=4, design="pair", catches=True)
    found = await trials(club)
    assert [trial.is_catch for trial in found].count(True) == 1
    shuffled = [r for r in club.double.requests if isinstance(r, pb.RenderRequest) and r.HasField("shuffle_seed")]
    assert len(shuffled) == 1
    looks = {(message.embeds[0].title.split(" of ")[1], len(message.attachments)) for message in await messages(club)}
    assert len(looks) == 1, "a catch looks like every other trial"


async def test_whoever_starts_a_series_does_not_learn_which_trial_is_the_catch(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[str] = []
    show = LiveReply.show

    async def listened(reply: LiveReply, event: Any) -> None:
        if event.WhichOneof("event") == "progress":
            stages.append(event.progress.stage)
        await show(reply, event)

    monkeypatch.setattr(LiveReply, "show", listened)
    await start(club, trials=4, design="pair", catches=True)
    places = range(1, len(await trials(club)) + 1)
    shown = [f"trial {place} of {len(places)}, {side}" for place in places for side in ("one clip", "the other clip")]
    assert list(dict.fromkeys(stages)) == shown


# ------------------------------------------------------------ same conditions


async def test_the_model_plays_under_the_human_clips_conditions_with_the_same_band(club: Club) -> None:
    await start(club, Choice.A)
    (rendered,) = [r for r in club.double.requests if isinstance(r, pb.RenderRequest)]
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    (human,) = await clips.human_clips(club.store, club.guild.id)
    assert rendered.piece_id == "maple-leaf-rag"
    conditions = human.conditions
    assert (played.feel, played.chords, played.bars, played.tempo_bpm, played.instrument, played.beats_per_bar) == (
        conditions.feel,
        conditions.chords,
        conditions.bars,
        conditions.tempo_bpm,
        conditions.instrument,
        conditions.beats_per_bar,
    )
    assert rendered.seed == played.seed, "one band seed"
    assert played.HasField("solo_seed")
    assert str(club.instructor.id) not in str(played)


async def test_a_human_clip_is_rendered_from_its_score_for_each_trial_anew(club: Club) -> None:
    """A better SoundFont then plays both sides, and no file of the collection is the poll's."""
    club.double.pieces = ()
    await add_clip(club)
    club.double.requests.clear()
    for _ in range(2):
        await start(club)
        await club.instructor.slash(club.channel, "poll close")
    rendered = [r for r in club.double.requests if isinstance(r, pb.RenderRequest)]
    assert [r.midi for r in rendered] == [midi(), midi()]
    assert rendered[0].seed != rendered[1].seed
    (clip,) = await clips.human_clips(club.store, club.guild.id)
    assert {(r.chords, r.tempo_bpm, r.instrument, r.melody_track) for r in rendered} == {
        (clip.conditions.chords, clip.conditions.tempo_bpm, clip.conditions.instrument, 1)
    }
    assert clip.conditions.seed not in {r.seed for r in rendered}


@pytest.mark.parametrize("metre", [3, 4])
async def test_the_model_plays_in_the_human_clips_metre(club: Club, metre: int) -> None:
    club.double.human_metre = metre
    await start(club, Choice.A)
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    (trial,) = await trials(club)
    sides = [await clips.get(club.store, number) for number in (trial.human_clip, trial.ai_clip) if number]
    assert [played.beats_per_bar, *(clip.conditions.beats_per_bar for clip in sides if clip)] == [metre] * 3


async def test_unmatched_the_model_plays_under_conditions_of_its_own(club: Club) -> None:
    await start(club, Choice.A, matched=False)
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    assert (played.chords, played.instrument) == ("", "")
    assert not (await latest(club)).matched


async def test_recordings_have_series_of_their_own(club: Club) -> None:
    await add_clip(club, "Tape", ogg(0.7), "a.ogg")
    await add_clip(club)
    club.double.requests.clear()
    await start(club, recordings=True, trials=2)
    assert {trial.human_clip for trial in await trials(club)} == {1}
    assert not [r for r in club.double.requests if isinstance(r, pb.RenderRequest)]
    assert "These are recordings" in (await opening(club)).embeds[0].description
    await club.instructor.slash(club.channel, "poll close")
    await start(club, trials=4)
    assert 1 not in {trial.human_clip for trial in await trials(club)}


async def test_a_series_of_recordings_without_recordings_says_what_to_do(club: Club) -> None:
    result = await start(club, recordings=True)
    assert "/clips add" in result.response.content
    assert club.refusals()


async def test_a_clip_of_an_earlier_version_is_named_and_not_drawn(club: Club) -> None:
    await add_clip(club)
    await club.store.execute("UPDATE clips SET score = NULL")
    result = await start(club, trials=3)
    assert "add them again" in result.response.content
    assert 1 not in {trial.human_clip for trial in await trials(club)}


async def test_one_clip_of_ones_own_isnt_drawn_for_certain(club: Club) -> None:
    """With few own clips the engine's pieces are drawn as well."""
    club.double.pieces = tuple(
        pb.Piece(id=f"piece-{number}", title=f"Piece {number}", composer="X", year="1900", source="y")
        for number in range(5)
    )
    await add_clip(club)
    own = 0
    for seed in range(12):
        club.bot.get_cog("Polls").draw_seed = lambda seed=seed: seed
        await start(club)
        own += (await trials(club))[0].human_clip == 1
        await club.instructor.slash(club.channel, "poll close")
    assert own == 2, "twelve draws over six clips, none before the others were"


async def test_ten_own_clips_are_enough(club: Club) -> None:
    for number in range(10):
        await add_clip(club, f"Own {number}", midi() + bytes([number]))
    await start(club, trials=10)
    assert sorted({trial.human_clip for trial in await trials(club)}) == list(range(1, 11))


async def test_without_any_human_clip_there_is_no_poll(club: Club) -> None:
    club.double.pieces = ()
    result = await start(club)
    assert "/clips add" in result.response.content
    assert club.refusals()
    assert await club.store.fetch_all("SELECT 1 FROM series") == []


# ------------------------------------------------------------ who starts it


@pytest.mark.parametrize("answer", [Choice.HUMAN, Choice.AI, Choice.A, Choice.B])
async def test_whoever_starts_a_series_learns_nothing(club: Club, answer: Choice) -> None:
    """All that staff can ask of the bot while the poll is open reads the same, whatever was drawn."""
    started = await start(club, answer)
    assert started.ephemeral
    found = await latest(club)
    assert started.response.content.replace(found.link, "LINK") == (
        f"[Series 1](LINK) is open and closes <t:{found.closes_at:.0f}:R>.\nI won't even tell you which is which."
    )
    listed = (await club.instructor.slash(club.channel, "clips list")).response.embeds[0].description
    assert listed == "`1` **Maple Leaf Rag**, Scott Joplin, 1899 (piece, 0 s), played in 0 polls"
    exported = (await club.instructor.slash(club.channel, "mydata export")).response.attachments[0]
    (row,) = json.loads(await exported.read())["polls_started"]
    assert set(row) == {"series", "kind", "title", "guild_id", "channel_id", "prepared_at", "closes_at"}
    for command in ("poll results", "poll verify", "poll announce", "poll export"):
        refused = await club.instructor.slash(club.channel, command, series=1)
        assert "still open" in refused.response.content
    assert club.refusals()


@pytest.mark.parametrize("command", ["poll start", "poll close", "poll announce", "poll export"])
async def test_only_staff_run_polls(club: Club, command: str) -> None:
    options = {"series": 1} if command == "poll announce" else {}
    refused = await club.student.slash(club.channel, command, **options)
    assert refused.ephemeral
    assert "staff" in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_whoever_manages_the_server_counts_as_staff(club: Club) -> None:
    role = club.guild.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
    boss = club.guild.add_member(club.env.create_user("boss"), roles=[role])
    result = await boss.slash(club.channel, "poll start", trials=1, closes_in=10)
    assert "is open" in result.response.content


@pytest.mark.parametrize("permission", ["attach_files", "send_messages", "embed_links"])
async def test_a_missing_permission_is_found_before_any_work(club: Club, permission: str) -> None:
    forbidden = discord.PermissionOverwrite(**{permission: False})
    channel = club.guild.create_text_channel("quiet", overwrites={club.guild.me: forbidden})
    refused = await club.instructor.slash(channel, "poll start", closes_in=10)
    assert refused.ephemeral
    assert permission.replace("_", " ") in refused.response.content
    there = await club.instructor.slash(club.channel, "poll start", closes_in=10, channel=channel)
    assert permission.replace("_", " ") in there.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_one_poll_at_a_time_in_a_channel(club: Club) -> None:
    await start(club)
    club.double.requests.clear()
    refused = await start(club)
    assert "one at a time" in refused.response.content
    assert str((await latest(club)).opening_message_id) in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_a_poll_runs_in_a_thread(club: Club) -> None:
    channel = club.bot.get_channel(club.channel.id)
    await channel.create_thread(name="listening", type=discord.ChannelType.public_thread)
    (thread,) = club.channel.threads
    await club.instructor.slash(thread, "poll start", trials=1, design="single", closes_in=10)
    await club.student.click(thread.last_message, label="AI")
    await club.env.advance_time(10 * 60)
    assert "The reveal" in thread.last_message.embeds[0].title


# ------------------------------------------------------------ when it fails


@pytest.mark.parametrize("behaviour", [Behaviour.FULL, Behaviour.FAIL, Behaviour.DIE_STARTED])
async def test_a_preparation_that_fails_posts_nothing_and_uses_nothing_up(club: Club, behaviour: Behaviour) -> None:
    """The engine dies at the fifth of six clips."""
    club.double.misbehave(behaviour, after=4)
    result = await start(club, trials=3, design="pair")
    assert result.response.content
    assert await everything(club) == []
    for table in ("series", "trials", "clips"):
        assert await club.store.fetch_all(f"SELECT 1 FROM {table}") == []
    assert club.refusals()
    club.double.misbehave(Behaviour.HONEST)
    await start(club, trials=3, design="pair")
    assert len(await messages(club)) == 3


async def test_a_channel_that_was_closed_meanwhile_calls_it_off(club: Club) -> None:
    club.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    refused = await start(club)
    assert "missing a permission" in refused.response.content
    assert club.refusals()
    rows = await club.store.fetch_all("SELECT voided FROM series")
    assert [row["voided"] for row in rows] == [1]
    again = await start(club)
    assert "is open" in again.response.content, "the channel is free again"


async def test_the_draw_and_the_answers_are_written_down_before_anything_is_posted(club: Club) -> None:
    club.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    await start(club, Choice.A, Choice.B)
    rows = await club.store.fetch_all("SELECT answer, message_id FROM trials")
    assert [(row["answer"], row["message_id"]) for row in rows] == [("A", None), ("B", None)]
    assert club.refusals()
