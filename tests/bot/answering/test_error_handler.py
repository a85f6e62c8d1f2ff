"""Whatever goes wrong, the member reads one plain sentence, alone where possible, and the log has the rest."""

import asyncio
from unittest.mock import Mock

import discord
import pytest
from discord import app_commands

from bot.answering.error_handler import GENERAL_SENTENCE, report, sentence_for
from bot.answering.text import plain
from bot.errors import EngineFailed, Refused
from cogs.stylize import pictures
from tests.engine_double import Behaviour, midi, png


def http_error(status, code):
    response = type("Response", (), {"status": status, "reason": ""})()
    return discord.HTTPException(response, {"code": code, "message": "internal detail"})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused("No."), "No."),
        (KeyError("secret"), GENERAL_SENTENCE),
        (http_error(413, 0), "The result is larger than this server lets me upload. Please try something smaller."),
        (http_error(400, 40005), "The result is larger than this server lets me upload. Please try something smaller."),
        (http_error(500, 0), GENERAL_SENTENCE),
        (app_commands.NoPrivateMessage(), "This only works on a server."),
    ],
)
def test_an_error_becomes_one_sentence_without_its_detail(error, sentence):
    assert sentence_for(error) == sentence


async def stylize(club, member=None):
    return await (member or club.student).slash(club.channel, "stylize", image=("cat.png", png()), style="scream")


async def test_what_the_engine_refuses_is_told_to_the_member_alone_and_the_progress_goes(club):
    club.double.misbehave(Behaviour.REFUSE)
    result = await stylize(club)
    assert result.response is None, "the public answer is gone"
    assert [(m.content, m.ephemeral) for m in result.followups] == [("That file is not a picture.", True)]
    assert club.refusals() == ["That file is not a picture."]


async def test_the_text_of_a_defect_is_logged_and_not_shown(club, monkeypatch, capfd):
    def broken(*_, **__):
        raise KeyError("/home/somebody/secret")

    monkeypatch.setattr(pictures, "embed", broken)
    result = await stylize(club)
    assert [m.content for m in result.followups] == [GENERAL_SENTENCE]
    assert [str(error.original) for error in club.env.errors] == ["'/home/somebody/secret'"]
    logged = "".join(capfd.readouterr())
    assert "/home/somebody/secret" in logged
    assert "Traceback" in logged
    club.forgiven.extend(club.env.errors)


async def test_a_missing_permission_is_found_before_any_work(club):
    forbidden = {club.bot.user: discord.PermissionOverwrite(attach_files=False)}
    quiet = club.guild.create_text_channel("quiet", overwrites=forbidden)
    result = await club.student.slash(quiet, "stylize", image=("cat.png", png()))
    assert result.ephemeral
    assert (
        result.response.content
        == "I can't answer here, because I'm not allowed to attach files. Please ask staff to allow it."
    )
    assert club.double.requests == []


@pytest.mark.parametrize(
    ("status", "code"), [(404, 10062), (400, 40060), (403, 50013), (401, 50027), (429, 0), (500, 0)]
)
async def test_a_refusal_of_discords_ends_one_answer_and_not_the_bot(club, status, code):
    club.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=status, code=code, times=None)
    await stylize(club)
    club.forgiven.extend(club.env.errors)
    club.env.backend.faults.clear()
    assert (await stylize(club)).response.attachments


async def test_an_answer_that_comes_too_late_for_its_token_is_put_into_its_message_by_the_bot_itself(club):
    club.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=401, code=50027, times=None)
    await stylize(club)
    (message,) = club.channel.history()
    assert [a.filename for a in message.attachments] == ["stylized.png", "before-after.jpg"]


TOO_LATE = {"status": 401, "code": 50027, "times": None}


def direct_messages(member):
    return [message.content for message in member.user.dm_channel.history()]


async def test_a_private_answer_that_comes_too_late_becomes_a_direct_message_and_never_a_public_one(club):
    club.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", **TOO_LATE)
    await club.student.slash(club.channel, "ask", question="backward?", private=True)
    assert not club.channel.history()
    (message,) = club.student.user.dm_channel.history()
    assert message.embeds[0].title == "What backward() does"
    assert club.channel.mention in message.content


async def test_a_private_answer_for_a_member_without_direct_messages_goes_nowhere(club):
    club.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", **TOO_LATE)
    club.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)
    await club.student.slash(club.channel, "ask", question="backward?", private=True)
    club.env.backend.faults.clear()
    assert not club.channel.history()
    assert not direct_messages(club.student)


async def test_a_late_private_job_sends_one_direct_message_however_often_it_reported_progress(club):
    club.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", **TOO_LATE)
    await club.instructor.slash(
        club.channel, "clips add", file=("a.mid", midi()), performer="Ada", title="Blues", consent=True
    )
    assert not club.channel.history()
    (sentence,) = direct_messages(club.instructor)
    assert "Stored as clip 1" in sentence


async def test_a_failure_that_comes_too_late_goes_to_the_member_and_takes_the_public_progress_along(club):
    club.env.inject_error("*", "/webhooks/*", **TOO_LATE)
    club.double.misbehave(Behaviour.REFUSE)
    await stylize(club)
    assert not any(message.content for message in club.channel.history()), "only what Discord itself shows is left"
    (sentence,) = direct_messages(club.student)
    assert sentence.endswith("That file is not a picture.")
    assert club.refusals()


@pytest.mark.parametrize(
    ("command", "options"), [("quiz question", {}), ("ask", {"question": "what?"}), ("jazz", {"chords": "H7"})]
)
async def test_what_goes_wrong_is_never_read_by_others_not_even_for_a_moment(club, command, options):
    async def broken(*_):
        raise EngineFailed("The engine could not do that.")

    for name in ("quiz", "ask", "play"):
        setattr(club.bot.engine, name, lambda *_, **__: broken())
    result = await club.student.slash(club.channel, command, **options)
    assert result.response is None, "the public answer is gone"
    assert [(m.content, m.ephemeral) for m in result.followups] == [("The engine could not do that.", True)]
    lines = club.env.transcript().splitlines()
    public = [line for line in lines if "/callback" in line or "@original" in line]
    assert public
    assert not any("could not do" in line for line in public)
    assert club.refusals()


async def test_a_member_who_takes_too_much_is_told_so_at_once(club):
    with (
        club.bot.jobs.place(club.student.id),
        club.bot.jobs.place(club.student.id),
        club.bot.jobs.place(club.student.id),
    ):
        result = await stylize(club)
        assert result.ephemeral
        assert "already have 3 jobs" in result.response.content
        assert (await stylize(club, club.other)).response.attachments
    assert (await stylize(club)).response.attachments
    assert club.bot.jobs.taken(club.student.id) == 0


async def test_an_interaction_that_discord_has_dropped_costs_the_engine_nothing(club):
    club.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062, times=None)
    result = await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    assert result.response is None
    club.forgiven.extend(club.env.errors)
    assert club.double.requests == []
    assert club.bot.jobs.taken(club.student.id) == 0


async def test_a_check_that_says_no_is_no_defect(club):
    said = []
    club.bot.notices.connect(lambda text: said.append(text) or asyncio.sleep(0))
    error = app_commands.CommandOnCooldown(app_commands.Cooldown(1, 60.0), 12.0)
    interaction = Mock(type=discord.InteractionType.autocomplete, client=club.bot, command=None, data={}, extras={})
    await report(interaction, error)
    await club.bot.notices.drain()
    assert said == []


def test_what_is_repeated_to_a_member_has_no_unseen_marks():
    hidden = "a\u202eb\x07c\u2066d"
    assert (
        plain(f"There's no key `{hidden}`.\nThe next line 👩\u200d🎓")
        == "There's no key `abcd`.\nThe next line 👩\u200d🎓"
    )


async def test_a_sentence_that_repeats_too_much_is_cut_to_what_discord_takes(club):
    club.double.refusal = (*club.double.refusal[:2], "I don't know this: " + "long word " * 400)
    club.double.misbehave(Behaviour.REFUSE)
    result = await stylize(club)
    (said,) = result.followups
    assert 1900 < len(said.content) <= 2000
    assert said.content.startswith("I don't know this: long word")
    assert said.content.endswith("long word…") or said.content.endswith("long…")
