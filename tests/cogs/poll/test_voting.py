"""A vote: private, changeable, stored once, confirmed only when it is committed, and acknowledged in any case."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from bot.rules.blind_poll import Ballot, Choice
from bot.rules.listening.judgements import Reason
from bot.store import Store
from bot.store.polls import ballots
from bot.store.polls.ballots import Change
from cogs.poll import voting
from tests.bot.store.collection import open_series
from tests.cogs.poll.lesson import everything, messages, start, trials
from tests.conftest import Club
from tests.waiting import until


async def stored(club: Club, number: int = 0) -> list[Ballot]:
    return await ballots.of_trial(club.store, (await trials(club))[number].id)


async def test_a_vote_is_private_and_can_be_changed(club: Club) -> None:
    await start(club, Choice.A)
    (message,) = await messages(club)
    first = await club.student.click(message, label="A")
    assert first.ephemeral
    assert "Your vote: **A is the human**." in first.response.content
    changed = await club.student.click(message, label="B")
    assert "Changed to **B is the human**." in changed.response.content
    assert await stored(club) == [Ballot("B")]


async def test_a_double_click_is_one_vote(club: Club) -> None:
    await start(club, Choice.AI)
    (message,) = await messages(club)
    for _ in range(2):
        again = await club.student.click(message, label="AI")
        assert "Your vote: **AI**." in again.response.content
    assert await stored(club) == [Ballot("ai")]


async def test_confidence_reasons_and_knowing_are_added_in_private_and_always_said_back(club: Club) -> None:
    await start(club, Choice.A)
    (message,) = await messages(club)
    answer = (await club.student.click(message, label="A")).response
    said = await club.student.select(answer, values=["80"], custom_id="sure:1")
    assert "You're **80 %** sure." in said.response.content
    said = await club.student.select(answer, values=["timing", "notes"], custom_id="why:1")
    assert "You went by: timing, notes." in said.response.content
    assert "You're **80 %** sure." in said.response.content
    assert await stored(club) == [Ballot("A", 80, False, (Reason.TIMING, Reason.NOTES))]
    assert [m for m in await everything(club) if "80 %" in m.content] == [], "nothing of it is public"


async def test_knowing_the_piece_twice_is_knowing_it_once(club: Club) -> None:
    """It used to toggle, and a double tap undid it."""
    await start(club, Choice.A)
    (message,) = await messages(club)
    answers = [(await club.student.click(message, label="A")).response for _ in range(2)]
    for answer in answers:
        knows = await club.student.click(answer, custom_id="vote:1:known")
        assert "left out of the figures" in knows.response.content
    assert await stored(club) == [Ballot("A", knows=True)]
    undone = await club.student.click(knows.response, custom_id="vote:1:unknown")
    assert "left out" not in undone.response.content
    assert await stored(club) == [Ballot("A")]


async def test_votes_of_two_members_on_two_trials_are_four(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    for message in await messages(club):
        await club.student.click(message, label="A")
        await club.other.click(message, label="B")
    assert [len(await stored(club, number)) for number in (0, 1)] == [2, 2]


async def test_only_the_number_of_voters_shows(club: Club) -> None:
    await start(club, Choice.HUMAN)
    (message,) = await messages(club)
    before = message.embeds[0].to_dict()
    await club.student.click(message, label="Human")
    await club.other.click(message, label="AI")
    await club.other.click(message, label="Human")
    await club.env.advance_time(10)
    (now,) = await messages(club)
    assert now.embeds[0].footer.text.startswith("2 votes so far")
    assert now.embeds[0].to_dict() | {"footer": None} == before | {"footer": None}
    listed = await club.other.slash(club.channel, "poll list")
    stats = await club.other.slash(club.channel, "poll stats")
    mine = await club.student.slash(club.channel, "quiz score")
    shown = json.dumps([e.to_dict() for r in (listed, stats, mine) for e in r.response.embeds])
    assert "is open" in shown
    assert "of 2 right" not in shown


async def test_who_started_it_cant_vote_and_is_told_why(club: Club) -> None:
    await start(club)
    (message,) = await messages(club)
    refused = await club.instructor.click(message, label="AI")
    assert "You started this poll" in refused.response.content
    assert await stored(club) == []
    assert club.refusals() == []


async def test_who_played_a_clip_cant_vote_on_it(club: Club) -> None:
    club.double.pieces = ()
    await club.instructor.slash(
        club.channel, "clips add", file=("a.mid", b"MThd"), performer="Ada", title="Mine", consent=True
    )
    await start(club)
    (message,) = await messages(club)
    refused = await club.student.click(message, label="AI")  # her name is ada
    assert "You played or handed in" in refused.response.content
    assert "Your vote" in (await club.other.click(message, label="AI")).response.content


async def test_bots_cant_vote(club: Club) -> None:
    await start(club)
    (message,) = await messages(club)
    robot = club.guild.add_member(club.env.create_user("robot", bot=True))
    refused = await robot.click(message, label="AI")
    assert "Bots can't vote" in refused.response.content
    assert await stored(club) == []


async def test_after_the_close_no_vote_is_taken(club: Club) -> None:
    await start(club)
    (message,) = await messages(club)
    # the deadline has passed, and the bot has not got round to closing it
    club.bot.get_cog("Polls").closer.stop()
    await club.env.advance_time(10 * 60)
    late = await club.student.click(message, label="Human")
    assert late.ephemeral
    assert "has closed" in late.response.content
    assert await stored(club) == []


async def test_the_button_of_a_poll_that_no_longer_exists_says_so(club: Club) -> None:
    await start(club)
    (message,) = await messages(club)
    await club.store.execute("DELETE FROM trials")
    gone = await club.student.click(message, label="Human")
    assert gone.ephemeral
    assert "don't have this poll" in gone.response.content


async def test_the_buttons_of_polls_of_before_still_work(club: Club) -> None:
    """A poll that was open while the bot was updated: its message has three buttons, with ids of before."""
    await start(club, Choice.HUMAN)
    (message,) = await messages(club)
    for custom_id in ("vote:1:human", "vote:1:ai"):
        await club.student.click(message, custom_id=custom_id)
    assert await stored(club) == [Ballot("ai")]


# ------------------------------------------------------------ in time, in any case


async def test_a_vote_is_confirmed_while_a_picture_is_being_stored_and_others_wait(club: Club) -> None:
    """The picture's transaction runs, ten more wait: the vote comes next, not eleventh."""
    await start(club)
    (message,) = await messages(club)
    release = asyncio.Event()
    written: list[int] = []

    async def picture(number: int) -> None:
        async with club.store.transaction() as transaction:
            if number == 0:
                await release.wait()
            await transaction.execute("INSERT INTO meta (name, value) VALUES (?, 'x')", (f"picture {number}",))
        written.append(number)

    pictures = [asyncio.create_task(picture(number)) for number in range(10)]
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().call_later(0.3, release.set)
    confirmed = await club.student.click(message, label="AI")
    assert "Your vote: **AI**" in confirmed.response.content
    assert await stored(club) == [Ballot("ai")]
    await asyncio.gather(*pictures)


class Press:
    """An interaction on the real clock, which writes down what is answered and when."""

    def __init__(self, store: Store, user: int) -> None:
        self.client = SimpleNamespace(store=store, dispatch=lambda *event: None, now=lambda: 10.0)
        self.user = SimpleNamespace(id=user, bot=False, name="ann", global_name=None, display_name="Ann")
        self.message = None
        self.answers: list[tuple[str, str]] = []
        self.response = self
        self.id = 5
        self.extras: dict[str, object] = {}

    def is_done(self) -> bool:
        return bool(self.answers)

    async def defer(self, **options: object) -> SimpleNamespace:
        self.answers.append(("thinking", ""))
        return SimpleNamespace(message_id=9)

    async def send_message(self, content: str, **options: object) -> None:
        self.answers.append(("answer", content))

    async def edit_original_response(self, content: str, **options: object) -> None:
        self.answers.append(("answer", content))


async def test_a_vote_is_acknowledged_in_time_while_a_backup_holds_the_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than Discord's three seconds: "thinking ..." first, the confirmation once it is committed."""
    assert voting.ACKNOWLEDGE_S < 2.5
    monkeypatch.setattr(voting, "ACKNOWLEDGE_S", 0.1)
    _, (trial,) = await open_series(store, Choice.AI, closes_at=None)
    press = Press(store, 77)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as backup:
        backup.execute("BEGIN IMMEDIATE")
        casting = asyncio.create_task(voting.cast(press, trial.id, Change(choice=Choice.AI)))  # type: ignore[arg-type]
        await until(lambda: press.answers)
        assert press.answers == [("thinking", "")]
        backup.execute("ROLLBACK")
    await casting
    assert [kind for kind, _ in press.answers] == ["thinking", "answer"]
    assert "Your vote: **AI**" in press.answers[-1][1]
    assert await ballots.of_trial(store, trial.id) == [Ballot("ai")]


async def test_a_vote_that_cant_be_stored_is_said_not_to_count_and_staff_hear_of_it(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disk full: never a confirmation without a commit."""
    monkeypatch.setattr(voting, "PATIENCE_S", 0.2)
    monkeypatch.setattr(voting, "RETRY_S", 0.05)
    await start(club)
    (message,) = await messages(club)

    def full(batch: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    told: list[str] = []
    monkeypatch.setattr(club.store.urgent, "_commit", full)
    monkeypatch.setattr(club.bot.notices, "report", lambda topic, sentence, **more: told.append(sentence))
    refused = await club.student.click(message, label="AI")
    assert "doesn't count yet" in refused.response.content
    (sentence,) = told
    assert "a vote (database or disk is full)" in sentence
    assert "doctor`" in sentence
    monkeypatch.undo()
    assert await stored(club) == []
    assert "Your vote" in (await club.student.click(message, label="AI")).response.content
