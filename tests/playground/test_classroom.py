"""A simulated class: seeded, at its pace, in public questions only, and never mistaken for real members."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import Any

import discord
import pytest

from playground.classroom.classroom import questions
from playground.classroom.minds import FASTEST_S, SLOWEST_S, Mind
from playground.world import cast, changes
from tests.playground.conftest import Course
from tests.waiting import until


def row(*ids: str) -> list[dict[str, object]]:
    return [{"type": 1, "components": [{"type": 2, "style": 1, "label": i, "custom_id": i} for i in ids]}]


async def ask(course: Course, *ids: str) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    view = discord.ui.View(timeout=None)
    for custom_id in ids:
        view.add_item(discord.ui.Button(label=custom_id, custom_id=custom_id))
    await course.bot.guilds[0].text_channels[0].send("?", view=view)


async def test_everybody_votes_once_and_the_bot_can_tell_that_they_are_simulated(course: Course) -> None:
    votes: list[tuple[int, str, list[str], str]] = []

    async def vote(interaction: discord.Interaction) -> None:
        assert isinstance(interaction.user, discord.Member)
        assert interaction.data is not None
        roles = [role.name for role in interaction.user.roles]
        votes.append(
            (interaction.user.id, interaction.user.display_name, roles, str(interaction.data.get("custom_id")))
        )
        await interaction.response.send_message("noted", ephemeral=True)

    course.bot.add_listener(vote, "on_interaction")
    await course.driver.bring_class(12, pace=0)
    await ask(course, "vote:7:human", "vote:7:ai", "vote:7:known")
    await until(lambda: len(votes) == 12)
    await ask(course, "quiz:3:0", "quiz:3:1")  # somebody's own question
    await course.ada.use("count")
    await until(lambda: len(votes) == 13)
    simulated = votes[:12]
    assert len({member for member, *_ in simulated}) == 12
    assert all("Simulated class" in roles and name.endswith("(simulated)") for _, name, roles, _ in simulated)
    assert {custom_id for *_, custom_id in simulated} == {"vote:7:human", "vote:7:ai"}
    assert "Simulated class" not in votes[12][2]


async def test_a_class_that_comes_late_votes_and_one_sent_home_does_not(course: Course) -> None:
    pressed: list[int] = []

    async def note(interaction: discord.Interaction) -> None:
        pressed.append(interaction.user.id)

    course.bot.add_listener(note, "on_interaction")
    await ask(course, "class:1:a", "class:1:b")
    await course.driver.bring_class(3, pace=0)
    await until(lambda: len(pressed) == 3)
    await course.driver.bring_class(0)
    await ask(course, "class:2:a", "class:2:b")
    await course.ada.use("count")
    await until(lambda: len(pressed) == 4)


async def test_the_class_is_listed_and_none_of_it_is_offered_as_a_tab(course: Course) -> None:
    await course.driver.bring_class(2)
    members = (await course.ada.state())["members"]
    simulated = [member for member in members if member["simulated"]]
    assert [member["name"] for member in simulated] == ["Mia (simulated)", "Jonas (simulated)"]
    assert not any(member["playable"] for member in simulated)
    assert all(member["is_here"] for member in simulated)
    await course.driver.bring_class(1)
    here = [member["name"] for member in (await course.ada.state())["members"] if member["is_here"]]
    assert "Mia (simulated)" in here
    assert "Jonas (simulated)" not in here


def test_the_same_class_thinks_the_same_and_its_members_differ() -> None:
    minds = [Mind.of(seed) for seed in range(200)]
    chosen = [mind.choose("vote:1", ["human", "ai"]) for mind in minds]
    assert chosen == [Mind.of(seed).choose("vote:1", ["human", "ai"]) for seed in range(200)]
    shares = [Counter(m.choose(f"vote:{n}", ["human", "ai"]) for m in minds)["human"] / 200 for n in range(60)]
    assert 0.02 < min(shares) < 0.4 < 0.6 < max(shares) < 0.98, "some clips sound more human than others"
    assert 0.3 < sum(shares) / len(shares) < 0.7
    times = [mind.decides_after_s("vote:1") for mind in minds]
    assert FASTEST_S <= min(times) < 6 < 14 < max(times) <= SLOWEST_S


def test_a_question_is_two_or_more_buttons_that_differ_in_the_last_part() -> None:
    assert questions(row("vote:1:A", "vote:1:B", "vote:1:known", "vote:1:unknown")) == {"vote:1": ["A", "B"]}
    assert questions(row("series:1:next:2", "about:card:jazz")) == {}


def test_simulated_members_have_ids_and_names_of_their_own() -> None:
    members = cast.simulated_members(200)
    assert len({m.id for m in members} | {m.id for m in cast.MEMBERS}) == 200 + len(cast.MEMBERS)
    assert len({m.slug for m in members}) == 200


async def test_the_class_also_chooses_several_answers_and_types_one(course: Course) -> None:
    given: dict[str, list[object]] = {"several": [], "typed": []}

    async def take(interaction: discord.Interaction) -> None:
        data: dict[str, Any] = dict(interaction.data or {})
        kind = str(data.get("custom_id")).split(":")[0]
        if kind == "type":
            form = discord.ui.Modal(title="Your answer", custom_id="typed:class:3:7")
            form.add_item(discord.ui.TextInput(label="Answer", custom_id="answer", max_length=20))
            await interaction.response.send_modal(form)
            return
        given[kind].append(data.get("values") or data["components"][0]["components"][0]["value"])
        await interaction.response.send_message("noted", ephemeral=True)

    course.bot.add_listener(take, "on_interaction")
    await course.driver.bring_class(5, pace=0)
    await until(course.bot.is_ready)
    options = [discord.SelectOption(label=letter, value=letter) for letter in "ABCD"]
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Select(custom_id="several:class:3:6", options=options, max_values=4))
    view.add_item(discord.ui.Button(label="Type your answer", custom_id="type:class:3:7"))
    view.add_item(discord.ui.Button(label="Type", custom_id="type:practice:9"))  # somebody's own
    await course.bot.guilds[0].text_channels[0].send("?", view=view)
    await until(lambda: len(given["several"]) == len(given["typed"]) == 5)
    assert all(isinstance(values, list) and 1 <= len(values) <= 4 for values in given["several"])
    assert all(isinstance(text, str) and text for text in given["typed"])


async def test_a_message_to_a_channel_that_goes_meanwhile_is_refused_as_discord_does(course: Course) -> None:
    place = await course.ada.channel("quiz")
    await until(course.bot.is_ready)
    channel = course.bot.get_partial_messageable(int(place["id"]))
    sending = asyncio.create_task(channel.send(file=discord.File(io.BytesIO(bytes(5_000_000)), "large.bin")))
    gone = course.playground.attachments.add

    async def add(*args: Any) -> Any:
        kept = await gone(*args)
        changes.delete_channel(course.playground, course.playground.channels[place["id"]])
        return kept

    course.playground.attachments.add = add  # type: ignore[method-assign]
    with pytest.raises(discord.NotFound) as refused:
        await sending
    assert refused.value.code == 10003
    assert not list(course.playground.store.files.iterdir())
