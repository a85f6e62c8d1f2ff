"""The blind poll as staff and members meet it: fair, private, changeable, closed once, and honest about its result."""

from __future__ import annotations

import itertools
import json

import discord
import pytest

from bot.rules.blind_poll import Candidate, Origin, draw
from bot.store import clips, polls
from engine.contract import engine_pb2 as pb
from tests.conftest import Club
from tests.engine_double import Behaviour, ogg

HUMAN_SOUND, MODEL_SOUND = ogg(frequency_hz=330.0), ogg()
ONLY_CLIP = [Candidate(1, 0)]


def seed_for(origin: Origin) -> int:
    """A seed whose lot falls on this side when clip 1 is the only human one."""
    return next(seed for seed in itertools.count() if draw(seed, ONLY_CLIP).origin is origin)


async def start(club: Club, origin: Origin | None = None, **options):
    """Start a poll in the club's channel; returns its message."""
    if origin is not None:
        club.bot.get_cog("Polls").draw_seed = lambda: seed_for(origin)
    options.setdefault("minutes", 10)
    await club.instructor.slash(club.channel, "poll start", **options)
    return club.channel.last_message


async def latest_poll(club: Club) -> polls.Poll:
    return (await polls.of_guild(club.store, club.guild.id))[0]


# ------------------------------------------------------------ before the close


@pytest.mark.parametrize(("origin", "sound"), [(Origin.HUMAN, HUMAN_SOUND), (Origin.AI, MODEL_SOUND)])
async def test_the_side_that_was_drawn_is_posted(club: Club, origin: Origin, sound: bytes) -> None:
    message = await start(club, origin)
    (attachment,) = message.attachments
    assert await attachment.read() == sound
    poll = await latest_poll(club)
    assert poll.answer is origin
    assert poll.message_id == message.id


async def test_nothing_but_the_sound_differs_between_human_and_model(club: Club) -> None:
    """Message, file name, alt text, buttons and the calls to the engine are the same, whichever side is posted."""
    seen = []
    for origin in (Origin.HUMAN, Origin.AI, Origin.HUMAN):
        club.double.requests.clear()
        message = await start(club, origin)
        poll = await latest_poll(club)
        (attachment,) = message.attachments
        row = json.dumps([component.to_dict() for component in message.components])
        file = (attachment.filename, attachment.description, attachment.content_type)
        look = json.dumps([message.content, [e.to_dict() for e in message.embeds], file, row])
        look = look.replace(f"poll-{poll.id}.", "poll-N.").replace(f"vote:{poll.id}:", "vote:N:")
        look = look.replace(f"Poll {poll.id}:", "Poll N:").replace(str(int(poll.closes_at)), "T")
        seen.append((look, [type(request).__name__ for request in club.double.requests]))
        await club.instructor.slash(club.channel, "poll close")
    assert seen[0][0] == seen[1][0] == seen[2][0]
    assert seen[1][1] == seen[2][1] == ["PlayRequest"]


async def test_the_lot_is_written_down_before_anything_is_posted(club: Club) -> None:
    club.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    refused = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "may not post" in refused.response.content
    assert club.refusals()
    rows = await club.store.fetch_all("SELECT answer, voided, message_id FROM polls")
    assert [(row["voided"], row["message_id"]) for row in rows] == [(1, None)]
    assert rows[0]["answer"] in ("human", "ai")


@pytest.mark.parametrize("origin", list(Origin))
async def test_whoever_starts_a_poll_learns_nothing(club: Club, origin: Origin) -> None:
    """All that staff can ask of the bot while the poll is open reads the same, whichever side was drawn."""
    club.bot.get_cog("Polls").draw_seed = lambda: seed_for(origin)
    started = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert started.ephemeral
    poll = await latest_poll(club)
    assert started.response.content.replace(poll.link, "LINK") == (
        f"[Poll 1](LINK) is open and closes <t:{poll.closes_at:.0f}:R>.\n"
        "There was no clip by a human yet, so I first added those that come with me (1).\n"
        "I don't tell you either what it is."
    )
    listed = (await club.instructor.slash(club.channel, "clips list")).response.embeds[0].description
    assert listed == "`1` **Maple Leaf Rag**, Scott Joplin, 1899 (piece, 0 s), played in 0 polls"
    exported = (await club.instructor.slash(club.channel, "mydata export")).response.attachments[0]
    assert json.loads(await exported.read())["polls_started"] == [
        {
            "poll": 1,
            "guild_id": club.guild.id,
            "channel_id": club.channel.id,
            "drawn_at": poll.closes_at - 600,
            "closes_at": poll.closes_at,
        }
    ]


async def test_the_model_plays_under_the_human_clips_conditions(club: Club) -> None:
    await start(club)
    (rendered,) = [r for r in club.double.requests if isinstance(r, pb.RenderRequest)]
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    (human,) = await clips.human_clips(club.store, club.guild.id)
    assert rendered.piece_id == "maple-leaf-rag"
    assert (played.feel, played.chords, played.bars, played.tempo_bpm, played.instrument) == (
        human.conditions.feel,
        human.conditions.chords,
        human.conditions.bars,
        human.conditions.tempo_bpm,
        human.conditions.instrument,
    )
    assert str(club.instructor.id) not in str(played)


@pytest.mark.parametrize("metre", [3, 4])
async def test_the_model_plays_in_the_human_clips_metre(club: Club, metre: int) -> None:
    club.double.human_metre = metre
    await start(club, Origin.HUMAN)
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    poll = await latest_poll(club)
    sides = [await clips.get(club.store, number) for number in (poll.human_clip, poll.ai_clip)]
    assert [played.beats_per_bar, *(clip.conditions.beats_per_bar for clip in sides if clip)] == [metre] * 3
    await club.instructor.slash(club.channel, "poll close")
    described = club.channel.last_message.embeds[0].description
    assert described is not None
    assert ("12 bars in 3/4" in described) == (metre == 3)


async def test_chords_and_seed_of_the_model_can_be_given(club: Club) -> None:
    await start(club, chords="Am7 D7", seed=42)
    (played,) = [r for r in club.double.requests if isinstance(r, pb.PlayRequest)]
    assert (played.chords, played.seed) == ("Am7 D7", 42)


async def test_the_first_poll_takes_in_pieces_by_human_composers_and_says_so(club: Club) -> None:
    result = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "I first added those that come with me (1)" in result.response.content
    await club.instructor.slash(club.channel, "poll close")
    again = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "I first added" not in again.response.content


async def test_a_piece_that_the_engine_cannot_play_is_left_out(club: Club) -> None:
    other = pb.Piece(id="other", title="Other", composer="Somebody", year="1900", source="music21")
    club.double.pieces = (other, *club.double.pieces)
    club.double.misbehave(Behaviour.FAIL, times=1)
    result = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "come with me (1)" in result.response.content
    assert [clip.title for clip in await clips.human_clips(club.store, club.guild.id)] == ["Maple Leaf Rag"]


async def test_without_any_human_clip_there_is_no_poll(club: Club) -> None:
    club.double.pieces = ()
    result = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "/clips add" in result.response.content
    assert club.refusals()
    assert await club.store.fetch_all("SELECT 1 FROM polls") == []


async def test_a_vote_is_private_and_can_be_changed(club: Club) -> None:
    message = await start(club)
    first = await club.student.click(message, label="Human")
    assert first.ephemeral
    assert "Your vote: **human**" in first.response.content
    changed = await club.student.click(message, label="AI")
    assert "Changed to **AI**" in changed.response.content
    poll = await latest_poll(club)
    assert [vote.choice for vote in await polls.votes(club.store, poll.id)] == [Origin.AI]


async def test_a_double_click_is_one_vote(club: Club) -> None:
    message = await start(club)
    await club.student.click(message, label="AI")
    again = await club.student.click(message, label="AI")
    assert "Your vote is **AI**" in again.response.content
    assert len(await polls.votes(club.store, (await latest_poll(club)).id)) == 1


async def test_two_members_have_two_votes(club: Club) -> None:
    message = await start(club)
    await club.student.click(message, label="AI")
    await club.other.click(message, label="Human")
    assert len(await polls.votes(club.store, (await latest_poll(club)).id)) == 2


async def test_the_tally_is_hidden_until_the_close(club: Club) -> None:
    message = await start(club, Origin.HUMAN)
    before = [e.to_dict() for e in message.embeds]
    await club.student.click(message, label="Human")
    await club.other.click(message, label="AI")
    assert [e.to_dict() for e in club.channel.last_message.embeds] == before
    listed = await club.other.slash(club.channel, "poll list")
    stats = await club.other.slash(club.channel, "poll stats")
    mine = await club.student.slash(club.channel, "quiz score")
    shown = json.dumps([e.to_dict() for r in (listed, stats, mine) for e in r.response.embeds])
    assert listed.ephemeral
    assert "is open" in shown
    assert "right" not in shown.replace("right yet", "")
    assert "it was" not in shown


async def test_votes_of_those_who_know_the_piece_are_left_out(club: Club) -> None:
    message = await start(club, Origin.HUMAN)
    await club.student.click(message, label="Human")
    knows = await club.student.click(message, label="I know this piece")
    assert "left out" in knows.response.content
    await club.other.click(message, label="Human")
    await club.instructor.slash(club.channel, "poll close")
    fields = {field.name: field.value for field in club.channel.last_message.embeds[0].fields}
    assert fields["Votes"] == "1 said human, 0 said AI. 1 member knew the piece and is left out."
    assert fields["Right"].startswith("1 of 1")


async def test_knowing_the_piece_can_be_taken_back(club: Club) -> None:
    message = await start(club)
    only = await club.student.click(message, label="I know this piece")
    assert "You haven't chosen yet" in only.response.content
    undone = await club.student.click(message, label="I know this piece")
    assert "after all" in undone.response.content


# ------------------------------------------------------------ the close


async def test_the_deadline_closes_the_poll(club: Club) -> None:
    message = await start(club, Origin.HUMAN, minutes=10)
    await club.student.click(message, label="Human")
    await club.env.advance_time(9 * 60)
    assert not (await latest_poll(club)).closed
    await club.env.advance_time(60)
    poll = await latest_poll(club)
    assert poll.closed
    result = club.channel.last_message
    assert result.id == poll.result_message_id
    assert result.reference.message_id == message.id


async def test_a_result_says_what_it_was_and_how_sure_the_figures_are(club: Club) -> None:
    message = await start(club, Origin.HUMAN)
    await club.student.click(message, label="Human")
    await club.other.click(message, label="AI")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = club.channel.last_message.embeds
    assert embed.title == "Poll 1: it was a human"
    assert "Maple Leaf Rag" in embed.description
    assert "Scott Joplin, 1899" in embed.description
    assert "performed by the soloist's rendition network and the band" in embed.description
    assert "music21" in embed.description
    fields = {field.name: field.value for field in embed.fields}
    assert fields["Votes"] == "1 said human, 1 said AI."
    assert fields["Right"] == "1 of 2 (50 %; 95 % interval 9 to 91 %). Guessing gets 50 %."
    assert "Too early" in embed.footer.text


async def test_a_model_clip_is_named_with_its_seed(club: Club) -> None:
    await start(club, Origin.AI, seed=42)
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = club.channel.last_message.embeds
    assert embed.title == "Poll 1: it was the model"
    assert "def5678, seed 42" in embed.description
    assert {field.name: field.value for field in embed.fields} == {"Votes": "Nobody voted."}
    assert club.channel.last_message.attachments == [], "the human clip was not heard and can be drawn later"


async def test_after_a_human_clip_the_models_is_attached_for_comparison(club: Club) -> None:
    await start(club, Origin.HUMAN)
    await club.instructor.slash(club.channel, "poll close")
    (attachment,) = club.channel.last_message.attachments
    assert attachment.filename == "poll-1-model.ogg"
    assert await attachment.read() == MODEL_SOUND


async def test_after_the_close_no_vote_is_taken(club: Club) -> None:
    message = await start(club)
    poll = await latest_poll(club)
    # the deadline has passed, and the bot has not got round to closing it
    club.bot.get_cog("Polls").closer.stop()
    await club.env.advance_time(10 * 60)
    late = await club.student.click(message, label="Human")
    assert late.ephemeral
    assert "has closed" in late.response.content
    await polls.close(club.store, poll.id, poll.closes_at)
    late = await club.student.click(message, label="I know this piece")
    assert "has closed" in late.response.content
    assert await polls.votes(club.store, poll.id) == []


async def test_the_closed_poll_loses_its_buttons(club: Club) -> None:
    message = await start(club)
    await club.instructor.slash(club.channel, "poll close")
    now = await club.bot.get_channel(club.channel.id).fetch_message(message.id)
    assert now.components == []
    assert "has closed" in now.embeds[0].description
    assert [attachment.filename for attachment in now.attachments] == ["poll-1.ogg"]


async def test_a_poll_is_closed_once(club: Club) -> None:
    await start(club)
    await club.instructor.slash(club.channel, "poll close")
    results = club.channel.last_message.id
    again = await club.instructor.slash(club.channel, "poll close", poll=1)
    assert "has closed already" in again.response.content
    await club.env.advance_time(24 * 3600)
    assert club.channel.last_message.id == results
    assert club.refusals()


@pytest.mark.parametrize("number", [None, 9])
async def test_closing_what_is_not_there_says_so(club: Club, number: int | None) -> None:
    options = {} if number is None else {"poll": number}
    result = await club.instructor.slash(club.channel, "poll close", **options)
    assert "o poll" in result.response.content
    assert club.refusals()


# ------------------------------------------------------------ restarts and accidents


async def test_buttons_and_deadline_survive_a_restart(club: Club) -> None:
    message = await start(club, minutes=10)
    await club.restart()
    voted = await club.student.click(message, label="Human")
    assert "Your vote: **human**" in voted.response.content
    await club.env.advance_time(10 * 60)
    assert (await latest_poll(club)).closed
    assert "it was" in club.channel.last_message.embeds[0].title


async def test_a_deadline_that_passed_while_the_bot_was_away_is_kept_on_its_start(club: Club) -> None:
    await start(club, minutes=10)
    club.bot.get_cog("Polls").closer.stop()
    await club.env.advance_time(3600)
    assert not (await latest_poll(club)).closed
    await club.restart()
    assert (await latest_poll(club)).closed
    assert "it was" in club.channel.last_message.embeds[0].title


async def test_a_close_that_was_not_announced_is_announced_on_the_next_start(club: Club) -> None:
    await start(club)
    poll = await latest_poll(club)
    club.bot.get_cog("Polls").closer.stop()
    await polls.close(club.store, poll.id, poll.closes_at - 60)
    await club.restart()
    assert "it was" in club.channel.last_message.embeds[0].title
    results = club.channel.last_message.id
    await club.restart()
    assert club.channel.last_message.id == results, "announced twice"


async def test_a_bot_that_dies_between_result_and_commit_does_not_repeat_itself(club: Club) -> None:
    """Discord takes a second message with the same enforced nonce (25 characters at most) for the first."""
    await start(club)
    await club.instructor.slash(club.channel, "poll close")
    posted = [r.json for r in club.env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    assert posted[-1]["nonce"] == "poll-result-1"
    assert posted[-1]["enforce_nonce"] is True


async def test_a_result_that_discord_refuses_is_tried_again(club: Club) -> None:
    message = await start(club, minutes=10)
    club.env.inject_error("POST", "/channels/*/messages", status=500)
    await club.env.advance_time(10 * 60)
    assert (await latest_poll(club)).closed
    assert club.channel.last_message.id == message.id
    await club.env.advance_time(120)
    assert "it was" in club.channel.last_message.embeds[0].title


async def test_a_result_that_is_too_large_with_the_models_clip_comes_without_it(club: Club) -> None:
    await start(club, Origin.HUMAN, minutes=10)
    club.env.inject_error("POST", "/channels/*/messages", status=413, code=40005)
    await club.env.advance_time(10 * 60)
    result = club.channel.last_message
    assert "it was a human" in result.embeds[0].title
    assert "Attached" not in result.embeds[0].description
    assert result.attachments == []


async def test_a_poll_in_a_deleted_channel_ends_quietly(club: Club) -> None:
    await start(club, minutes=10)
    club.env.inject_error("POST", "/channels/*/messages", status=404, code=10003)
    await club.env.advance_time(10 * 60)
    poll = await latest_poll(club)
    assert poll.announced_at is not None
    assert poll.result_message_id is None


async def test_the_button_of_a_poll_that_no_longer_exists_says_so(club: Club) -> None:
    message = await start(club)
    await club.store.execute("DELETE FROM polls")
    for label in ("Human", "I know this piece"):
        gone = await club.student.click(message, label=label)
        assert gone.ephemeral
        assert "don't have this poll" in gone.response.content


async def test_the_button_of_a_poll_whose_posting_was_never_recorded_says_so(club: Club) -> None:
    message = await start(club)
    await club.store.execute("UPDATE polls SET message_id = NULL")
    await club.restart()
    answer = await club.student.click(message, label="AI")
    assert "called off" in answer.response.content
    assert (await start(club)).id != message.id, "the channel must be free again"


async def test_a_broken_engine_leaves_no_poll_behind(club: Club) -> None:
    await start(club)
    await club.instructor.slash(club.channel, "poll close")
    club.double.misbehave(Behaviour.FULL)
    result = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "queue is full" in result.response.content
    assert len(await club.store.fetch_all("SELECT 1 FROM polls")) == 1
    assert club.refusals()


# ------------------------------------------------------------ who may


@pytest.mark.parametrize("command", ["poll start", "poll close"])
async def test_only_staff_run_polls(club: Club, command: str) -> None:
    refused = await club.student.slash(club.channel, command)
    assert refused.ephemeral
    assert "staff" in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_whoever_manages_the_server_counts_as_staff(club: Club) -> None:
    role = club.guild.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
    boss = club.guild.add_member(club.env.create_user("boss"), roles=[role])
    result = await boss.slash(club.channel, "poll start", minutes=10)
    assert "is open" in result.response.content


@pytest.mark.parametrize("permission", ["attach_files", "send_messages", "embed_links"])
async def test_a_missing_permission_is_found_before_any_work(club: Club, permission: str) -> None:
    forbidden = discord.PermissionOverwrite(**{permission: False})
    channel = club.guild.create_text_channel("quiet", overwrites={club.guild.me: forbidden})
    refused = await club.instructor.slash(channel, "poll start", minutes=10)
    assert refused.ephemeral
    assert permission.replace("_", " ") in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_staff_of_another_server_cannot_close_this_ones_poll(club: Club) -> None:
    await start(club)
    elsewhere = club.env.create_guild("Another course")
    boss = elsewhere.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
    stranger = elsewhere.add_member(club.env.create_user("stranger"), roles=[boss])
    refused = await stranger.slash(elsewhere.create_text_channel("general"), "poll close", poll=1)
    assert "There is no poll 1 here" in refused.response.content
    assert not (await latest_poll(club)).closed
    assert club.refusals()


async def test_a_poll_runs_in_a_thread(club: Club) -> None:
    channel = club.bot.get_channel(club.channel.id)
    await channel.create_thread(name="listening", type=discord.ChannelType.public_thread)
    (thread,) = club.channel.threads
    await club.instructor.slash(thread, "poll start", minutes=10)
    await club.student.click(thread.last_message, label="AI")
    await club.env.advance_time(10 * 60)
    assert "1 said AI" in thread.last_message.embeds[0].fields[0].value


async def test_one_poll_at_a_time_in_a_channel(club: Club) -> None:
    message = await start(club)
    club.double.requests.clear()
    refused = await club.instructor.slash(club.channel, "poll start", minutes=10)
    assert "one at a time" in refused.response.content
    assert str(message.id) in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


# ------------------------------------------------------------ figures


async def test_the_statistics_take_all_closed_polls_together(club: Club) -> None:
    for origin in (Origin.HUMAN, Origin.AI, Origin.HUMAN, Origin.AI):
        message = await start(club, origin)
        await club.student.click(message, label="Human")
        await club.other.click(message, label="Human" if origin is Origin.HUMAN else "AI")
        await club.instructor.slash(club.channel, "poll close")
    stats = await club.student.slash(club.channel, "poll stats")
    assert stats.ephemeral
    (embed,) = stats.response.embeds
    assert embed.description == "8 votes of 2 listeners on 3 clips."
    (field,) = embed.fields
    assert "Human clips called human: 4 of 4" in field.value
    assert "model's clips called human: 2 of 4" in field.value
    assert "Balanced accuracy: **75 %**" in field.value
    assert "Human-call ratio: 0.50" in field.value
    assert "Too early" in embed.footer.text


async def test_a_member_sees_their_own_ear(club: Club) -> None:
    message = await start(club, Origin.AI)
    await club.student.click(message, label="AI")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = (await club.student.slash(club.channel, "quiz score")).response.embeds
    assert {field.name: field.value for field in embed.fields} == {"By ear": "1 of 1 closed poll right"}
