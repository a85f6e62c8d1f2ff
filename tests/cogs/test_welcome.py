"""The welcome in a new server, its four tries, and the line under the bot's name."""

from cogs.club.mentions import PAUSE_S
from cogs.club.presence import READY, Presence
from cogs.club.try_listening import human_side
from cogs.club.welcome import PICTURE, Welcome
from engine.contract import engine_pb2 as pb
from tests.waiting import until

TRIES = ["Paint this picture", "Play me a blues", "Quiz me", "Human or AI?"]


def labels(message):
    rows = [row if isinstance(row, dict) else row.to_dict() for row in message.components]
    return [item["label"] for row in rows for item in row["components"]]


def chosen(message):
    """The labels of the buttons that are marked."""
    rows = [row if isinstance(row, dict) else row.to_dict() for row in message.components]
    return [
        item["label"] for row in rows for item in row["components"] if (item.get("emoji") or {}).get("name") == "👉"
    ]


async def greeted(club):
    """The welcome, posted as if the bot had just been invited."""
    await club.bot.get_cog(Welcome.__name__).greet(club.bot.guilds[0])
    return club.channel.last_message


async def test_a_new_server_is_greeted_once_even_over_a_restart(club):
    message = await greeted(club)
    assert "practice room" in message.content
    assert labels(message) == TRIES
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
    question = await club.student.click(message, label="Quiz me")
    assert question.ephemeral
    answer = (await club.student.click(question.response, label="(2, 4)")).response
    assert answer.embeds[0].title == "Right!"


async def test_a_listening_try_tells_the_answer_at_once_and_counts_nowhere(club):
    message = await greeted(club)
    pair = await club.student.click(message, label="Human or AI?")
    assert pair.ephemeral
    files = [await attachment.read() for attachment in pair.response.attachments]
    assert [attachment.filename for attachment in pair.response.attachments] == ["clip-A.ogg", "clip-B.ogg"]
    assert labels(pair.response) == ["A is the human", "B is the human"]
    await club.restart()
    told = []
    for side in "AB":
        said = (await club.student.click(pair.response, label=f"{side} is the human")).response
        assert said.id == pair.response.id, "under the clips, which can be heard again"
        assert [attachment.filename for attachment in said.attachments] == ["clip-A.ogg", "clip-B.ogg"]
        assert said.embeds[0].description.startswith(f"You chose {side}. ")
        assert chosen(said) == [f"{side} is the human"]
        told.append(said.embeds[0].description.split("**")[1])
    human = told[0].split(": ")[1][0]
    assert sorted(told) == [f"Not this time: {human} is the human.", f"Right: {human} is the human."]
    assert files["AB".index(human)] != files[1 - "AB".index(human)]
    assert await club.store.fetch_all("SELECT * FROM series") == []
    again = await club.student.click(said, label="Another pair")
    assert labels(again.response) == ["A is the human", "B is the human"]


async def test_the_human_is_as_often_on_either_side(club):
    sides = [await human_side(club.store, f"{number:016x}") for number in range(400)]
    assert 160 < sides.count("A") < 240
    assert sides == [await human_side(club.store, f"{number:016x}") for number in range(400)]


async def test_whoever_mentions_the_bot_is_told_how_to_use_it_and_nobody_else_is(club):
    me = club.bot.user.id
    await club.student.send(club.channel, "hello everybody")
    assert len(club.channel.history()) == 1
    asked = await club.student.send(club.channel, f"<@{me}> help")
    answer = club.channel.last_message
    assert answer.author.id == me
    assert "/stylize" in answer.content
    assert labels(answer) == ["Paint a picture", *TRIES[1:]]
    assert answer.reference.message_id == asked.id
    await club.student.send(club.channel, f"<@{me}> help <@{me}>")
    assert len(club.channel.history()) == 4, "once in a while is enough"
    await club.env.advance_time(PAUSE_S + 1)
    await club.other.send(club.channel, f"<@{me}>")
    assert len(club.channel.history()) == 6


async def test_help_has_the_four_tries_for_whoever_comes_when_the_welcome_is_out_of_sight(club):
    helped = await club.other.slash(club.channel, "help")
    assert helped.ephemeral
    assert labels(helped.response) == ["Paint a picture", *TRIES[1:]]
    await club.restart()
    painted = (await club.other.click(helped.response, label="Paint a picture")).response
    assert painted.attachments[0].filename == "stylized.png"
    clip = (await club.other.click(helped.response, label="Play me a blues")).response
    assert clip.attachments[0].filename == "woodshed.ogg"


async def test_the_line_says_whether_the_engine_is_warm_and_how_much_it_has_to_do(club):
    line = club.bot.get_cog(Presence.__name__)
    assert await line.state() == f"{READY} (CPU)"
    club.double.entries = [pb.QueueReply.Entry(job_id="a" * 32, member_key="x", kind="play", position=0)]
    assert await line.state() == "1 job under way"


async def test_a_line_that_couldnt_be_sent_is_sent_once_discord_is_back(club, monkeypatch, capsys):
    line, sent, is_down = club.bot.get_cog(Presence.__name__), [], True
    line.shown = ""

    async def change_presence(*, activity):
        if is_down:
            raise ConnectionResetError("Cannot write to closing transport")
        sent.append(activity.name)

    monkeypatch.setattr(club.bot, "change_presence", change_presence)
    await line.on_interaction(type("Interaction", (), {"type": None}))
    await until(lambda: not line._alarm._running)
    assert line.shown == ""
    is_down = False
    await line.on_resumed()
    await until(lambda: sent == [f"{READY} (CPU)"])
    assert "an alarm's work failed" not in capsys.readouterr().out
