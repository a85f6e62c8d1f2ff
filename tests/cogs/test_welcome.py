"""The welcome in a new server, its four tries, and the line under the bot's name."""

from cogs.club.presence import READY, Presence
from cogs.club.welcome import PICTURE, Welcome
from engine.contract import engine_pb2 as pb


def labels(message):
    return [item["label"] for row in message.components for item in row.to_dict()["components"]]


async def greeted(club):
    """The welcome, posted as if the bot had just been invited."""
    await club.bot.get_cog(Welcome.__name__).greet(club.bot.guilds[0])
    return club.channel.last_message


async def test_a_new_server_is_greeted_once_even_over_a_restart(club):
    message = await greeted(club)
    assert "practice room" in message.content
    assert labels(message) == ["Paint this picture", "Play me a blues", "Ask me a question", "Human or AI?"]
    assert [attachment.filename for attachment in message.attachments] == ["practice-room.jpg"]
    await greeted(club)
    await club.restart()
    await greeted(club)
    assert len(club.channel.history()) == 1


async def test_every_button_does_what_it_says_for_whoever_presses_it(club):
    message = await greeted(club)
    await club.restart()
    painted = (await club.student.click(message, label="Paint this picture")).response
    assert club.double.requests[-1].image == PICTURE.read_bytes()
    assert painted.attachments[0].filename == "stylized.png"
    clip = (await club.other.click(message, label="Play me a blues")).response
    assert club.double.requests[-1].form == "blues"
    assert clip.attachments[0].filename == "woodshed.ogg"
    answer = (await club.student.click(message, label="Ask me a question")).response
    assert answer.embeds or answer.content
    result = await club.student.click(message, label="Human or AI?")
    assert result.ephemeral
    assert "/poll start" in result.response.content


async def test_the_line_says_whether_the_engine_is_warm_and_how_much_it_has_to_do(club):
    line = club.bot.get_cog(Presence.__name__)
    assert await line.state() == READY
    club.double.entries = [pb.QueueReply.Entry(job_id="a" * 32, member_key="x", kind="play", position=0)]
    assert await line.state() == "1 job under way"
