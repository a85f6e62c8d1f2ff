"""/quiz report: what the class has understood, for staff alone."""

from __future__ import annotations

import csv
import io
import re

import discord

from bot.answering.access import guild_id_of
from bot.answering.parcels import Upload
from bot.answering.text import MAX_ALT_TEXT, MAX_FIELD, counted, in_words, named, percent, shorten
from bot.charts import lesson_chart
from bot.client import Interaction
from bot.rules.class_report import Item, Report, report
from bot.store import quiz
from bot.store.lessons import class_quiz
from bot.store.quiz import Objection
from bot.tables import cell

DAY_S = 86_400.0
ITEMS_SHOWN = 5
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
"""Of a question that comes with the bot; one that staff wrote has its text."""
CHART = "lesson.png"
COLOUR = discord.Colour.blurple()


async def report_answer(interaction: Interaction, days: int, now: float) -> tuple[discord.Embed, list[Upload]]:
    """The report on the last `days`, a picture of it, and the same as files: by question, by student, and the questions
    that members disagree with."""
    store, guild_id = interaction.client.store, guild_id_of(interaction)
    since = now - days * DAY_S
    replies, names = await class_quiz.replies(store, guild_id, since)
    found = report(replies)
    objections = await quiz.objections(store, guild_id, since)
    files: list[Upload] = []
    if replies:
        files = [
            Upload("questions.csv", items_csv(found).encode()),
            Upload("students.csv", students_csv(found, names).encode()),
        ]
        picture, alt = await lesson_chart(found)
        files += [Upload(CHART, picture, shorten(alt, MAX_ALT_TEXT))] if picture else []
    if objections:
        files.append(Upload("objections.csv", objections_csv(objections).encode()))
    embed = report_embed(found, objections, days)
    if any(file.name == CHART for file in files):
        embed.set_image(url=f"attachment://{CHART}")
    return embed, files


def report_embed(found: Report, objections: list[Objection], days: int) -> discord.Embed:
    """The hardest questions with what is believed instead, the topics, and what members disagree with."""
    answers = sum(item.answers for item in found.items)
    embed = discord.Embed(title=f"The class in the last {counted(days, 'day')}", colour=COLOUR)
    if not answers:
        embed.description = "Nobody answered a class quiz in that time. `/quiz class` starts one."
    else:
        students = counted(len(found.students), "student")
        embed.description = f"{counted(answers, 'answer')} of {students} to {counted(len(found.items), 'question')}."
        hardest = [_item_line(item) for item in found.items if item.difficulty < 1][:ITEMS_SHOWN]
        if hardest:
            embed.add_field(name="Hardest", value=shorten("\n".join(hardest), MAX_FIELD), inline=False)
        rows = [
            f"{named(in_words(topic))}: {percent(share)} of {counted(count, 'answer')}"
            for topic, share, count in found.topics
        ]
        embed.add_field(name="By topic", value=shorten("\n".join(rows), MAX_FIELD), inline=False)
    if objections:
        lines = [
            f"“{named(shorten(one.question.text, 80))}” (`{one.question.generator}`, seed "
            f"{one.question.seed}): {named(shorten(one.reason, 160))}"
            for one in objections
        ]
        embed.add_field(name="Disagreed with", value=shorten("\n".join(lines), MAX_FIELD), inline=False)
    return embed


def _item_line(item: Item) -> str:
    name = in_words(item.item) if NAME.fullmatch(item.item) else f"“{named(item.item)}”"
    line = f"**{name}** ({named(in_words(item.topic))}): {item.right} of {item.answers} right"
    if item.misconception:
        line += f"; the commonest mistake, {item.believers} of {item.answers}: {shorten(item.misconception, 140)}"
    return line


def items_csv(found: Report) -> str:
    """One row a question."""
    rows = [
        [
            item.item,
            item.topic,
            item.answers,
            item.right,
            f"{item.difficulty:.3f}",
            "" if item.discrimination is None else f"{item.discrimination:.3f}",
            item.misconception,
            item.believers,
        ]
        for item in found.items
    ]
    header = ["question", "topic", "answers", "right", "share_right", "discrimination", "misconception", "believers"]
    return _csv(header, rows)


def students_csv(found: Report, names: dict[int, int]) -> str:
    """One row a student and topic. `names` are Discord ids by member number; whoever was forgotten has none."""
    rows = [
        [str(names.get(member, "")), topic, right, answers]
        for member, topics in sorted(found.students.items())
        for topic, (right, answers) in sorted(topics.items())
    ]
    return _csv(["discord_id", "topic", "right", "answers"], rows)


def objections_csv(objections: list[Objection]) -> str:
    """One row an objection, with all that it takes to look at the question again."""
    rows: list[list[object]] = [
        [
            one.question.generator,
            one.question.seed,
            one.question.topic,
            one.question.text,
            one.question.code,
            " | ".join(one.question.options),
            " | ".join(one.question.accepted),
            one.reason,
        ]
        for one in objections
    ]
    return _csv(["question", "seed", "topic", "text", "code", "options", "accepted", "reason"], rows)


def _csv(header: list[str], rows: list[list[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue()
