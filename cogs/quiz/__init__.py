"""/quiz: a question for the channel, a quiz for the class, practice alone, and what staff need around them."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_own_message, require_staff
from bot.answering.durable import submit
from bot.answering.first_answers import open_form, say
from bot.answering.jobs import one_answer, say_that_it_warms_up
from bot.answering.posting import require_may_post
from bot.answering.text import too_many_questions
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.rules import daily as daily_rules
from bot.rules.class_quiz import MAX_ROUNDS, MAX_SECONDS, MIN_ROUNDS, MIN_SECONDS, Plan
from bot.rules.quiz import Score, streak, streaks
from bot.rules.quotas import Quota
from bot.store import quiz
from bot.store.lessons import daily as daily_store
from bot.store.lessons import own_questions, practice
from bot.store.lessons.daily import Daily
from bot.store.polls import ballots
from cogs.quiz import follow_ups, kinds, own, private, report, scores, topics
from cogs.quiz import questions as views
from cogs.quiz.asking import draw_question
from cogs.quiz.daily import DailyAsker
from cogs.quiz.guessing import GuessMenu
from cogs.quiz.in_class import buttons as in_class_buttons
from cogs.quiz.in_class.running import ClassRunner
from cogs.quiz.in_class.starting import start_class_quiz, started_sentence
from cogs.quiz.kinds import answer_view
from cogs.quiz.taking import Place
from engine.contract.limits import LARGEST_SEED

QUESTIONS_PER_MINUTE = 6
"""For one member: too few to flood a channel."""
PRACTICE_PER_MINUTE = 20
"""Nobody else sees these; nobody reads faster."""


@app_commands.guild_only()
class Quiz(commands.GroupCog, group_name="quiz", group_description="Questions about PyTorch"):
    """Questions whose right answer the engine has computed, and those that staff wrote."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.quota = Quota(QUESTIONS_PER_MINUTE, 60.0)
        self.practice_quota = Quota(PRACTICE_PER_MINUTE, 60.0)
        self.runner = ClassRunner(bot)
        self.daily = DailyAsker(bot, draw_seed)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)
        self.bot.services.practice = self

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """At the start, and after every time that Discord was lost: what is due may be overdue."""
        self.runner.begin()
        self.daily.begin()

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)
        self.runner.stop()
        self.daily.stop()

    @commands.Cog.listener()
    async def on_class_quiz_changed(self, number: int, *, at_once: bool = False) -> None:
        """A button of a class quiz was pressed."""
        self.runner.changed(number, at_once=at_once)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self.runner.message_gone(payload.channel_id, payload.message_id)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """A form was filled in."""
        await submit(interaction, FORMS)

    # ------------------------------------------------------------ for everybody

    @app_commands.command(name="question", description="One question for this channel; only you see your answer")
    @app_commands.describe(topic="What it should be about (any topic if left out)")
    async def ask_question(self, interaction: Interaction, topic: str = "") -> None:
        require_may_post(interaction, "embed_links")
        self._take_turn(interaction, self.quota)
        channel_id = interaction.channel_id
        assert channel_id is not None
        async with one_answer(interaction) as answer:
            store, guild_id = self.bot.store, guild_id_of(interaction)
            before = await quiz.asked_before(store, guild_id, interaction.user.id, topic)
            question = await draw_question(self.bot, guild_id, topic, self.draw_seed(), before)
            posted = await quiz.add_question(
                store,
                question,
                guild_id=guild_id,
                channel_id=channel_id,
                asked_by=interaction.user.id,
                now=self.bot.now(),
            )
            message_id = await answer.finish(
                embeds=[views.question_embed(posted)],
                view=answer_view(Place.CHANNEL, posted),
                uploads=views.picture_of(question),
            )
            await quiz.set_message(store, posted.id, message_id)

    @app_commands.command(name="me", description="Practise alone: what you got wrong comes back with different numbers")
    @app_commands.describe(topic="What it should be about (any topic if left out)")
    async def practise(self, interaction: Interaction, topic: str = "") -> None:
        await self.practise_now(interaction, topic)

    async def practise_now(self, interaction: Interaction, topic: str, card: str = "") -> None:
        """Ask a member alone: on a topic, or what a card answers."""
        self._take_turn(interaction, self.practice_quota)
        async with one_answer(interaction, private=True) as answer:
            await private.ask_next(answer, interaction, topic, card, self.draw_seed(), self.bot.now())

    def _take_turn(self, interaction: Interaction, quota: Quota) -> None:
        wait_s = quota.take(interaction.user.id, self.bot.now())
        if wait_s:
            raise Refused(too_many_questions(wait_s))

    @app_commands.command(name="score", description="Your own score, for your eyes only")
    async def score(self, interaction: Interaction) -> None:
        store, guild_id, member = self.bot.store, guild_id_of(interaction), interaction.user.id
        judgements = await ballots.judgements(store, guild_id, discord_id=member)
        listening = Score(len(judgements), sum(vote.right for vote in judgements))
        shown = await quiz.is_shown(store, guild_id, member)
        view = discord.ui.View(timeout=None).add_item(scores.LeaderboardButton("off" if shown else "on"))
        results = await quiz.latest_results(store, guild_id, member)
        embed = scores.score_embed(
            topics=await quiz.scores_by_topic(store, guild_id, member),
            streak=streak(right for _, right in results),
            streaks=streaks(results),
            listening=listening,
            shown=shown,
            total=await quiz.class_total(store, guild_id),
            memories=await practice.memories(store, member),
            now=self.bot.now(),
        )
        await say(interaction, embed=embed, view=view)

    @app_commands.command(name="board", description="Scores of those who chose to be shown")
    @app_commands.describe(since="This week only, or everything so far")
    @app_commands.choices(
        since=[
            app_commands.Choice(name="this week", value="week"),
            app_commands.Choice(name="everything", value="all"),
        ]
    )
    async def board(self, interaction: Interaction, since: str = "all") -> None:
        require_may_post(interaction, "embed_links")
        embed = await scores.board_embed(self.bot.store, guild_id_of(interaction), since == "week", self.bot.now())
        await say(interaction, embed=embed, private=False)

    # ------------------------------------------------------------ for the class

    @app_commands.command(name="class", description="Staff: a quiz for the whole class, question by question")
    @app_commands.describe(
        topic="What it should be about (any topic if left out)",
        questions="How many (5 if left out)",
        seconds="Time for one vote (45 if left out)",
        second_vote="Let the class talk each question over and vote again before the answer is shown",
        teams="Also rank the teams: your team is your role whose name begins with Team",
    )
    async def class_quiz(
        self,
        interaction: Interaction,
        topic: str = "",
        questions: app_commands.Range[int, MIN_ROUNDS, MAX_ROUNDS] = 5,
        seconds: app_commands.Range[int, MIN_SECONDS, MAX_SECONDS] = 45,
        second_vote: bool = False,
        teams: bool = False,
    ) -> None:
        if not self.bot.settings.club.anyone_may_host_quiz:
            require_staff(interaction)
        require_own_message(interaction, "embed_links")
        plan = Plan(questions, seconds, second_vote, teams)
        async with one_answer(interaction, private=True) as answer:
            await say_that_it_warms_up(self.bot, answer)
            started = await start_class_quiz(interaction, topic, plan, self.draw_seed)
            self.runner.start(started.id)
            await answer.finish(content=started_sentence(started))

    @app_commands.command(
        name="report", description="Staff: what the class has understood, and what it believes instead"
    )
    @app_commands.describe(days="How far back to look (30 if left out)")
    async def report(self, interaction: Interaction, days: app_commands.Range[int, 1, 400] = 30) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        async with one_answer(interaction, private=True) as answer:
            embed, files = await report.report_answer(interaction, days, self.bot.now())
            await answer.finish(embeds=[embed], uploads=files)

    @app_commands.command(
        name="daily", description="Staff: one question a day in this channel, at a time of your choice"
    )
    @app_commands.describe(
        time="Local time, like 08:30; `off` ends it",
        zone="Time zone of the class, like Europe/Zurich",
        topic="What it should be about (any topic if left out)",
    )
    async def daily_question(self, interaction: Interaction, time: str, zone: str = "UTC", topic: str = "") -> None:
        require_staff(interaction)
        channel_id = interaction.channel_id
        assert channel_id is not None
        if time.strip().casefold() == "off":
            dropped = await daily_store.drop(self.bot.store, channel_id)
            sentence = "No more daily questions here." if dropped else "This channel didn't have a daily question."
            await say(interaction, sentence)
            return
        require_own_message(interaction, "embed_links")
        local_time, zone = daily_rules.parse_time(time), daily_rules.parse_zone(zone)
        next_at = daily_rules.next_at(local_time, zone, self.bot.now())
        entry = Daily(channel_id, guild_id_of(interaction), local_time, zone, topic, next_at)
        await daily_store.put(self.bot.store, entry, interaction.user.id, self.bot.now())
        self.daily.changed()
        sentence = (
            f"I'll ask one question a day here, at {local_time} in {zone}. The first one comes <t:{next_at:.0f}:R>."
        )
        await say(interaction, sentence)

    @daily_question.autocomplete("zone")
    async def complete_zone(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return matching(current, [(zone, zone) for zone in daily_rules.zones()])

    # ------------------------------------------------------------ staff's own questions

    @app_commands.command(name="add", description="Staff: write a question of your own")
    async def add(self, interaction: Interaction) -> None:
        require_staff(interaction)
        await open_form(interaction, own.QuestionForm())

    @app_commands.command(name="import", description="Staff: add the questions in a TOML file")
    @app_commands.describe(file="Made by /quiz export, or written by hand with [[question]] tables")
    async def import_questions(self, interaction: Interaction, file: discord.Attachment) -> None:
        require_staff(interaction)
        await own.import_file(interaction, file, self.bot.now())

    @app_commands.command(name="export", description="Staff: this server's own questions as a file")
    async def export_questions(self, interaction: Interaction) -> None:
        require_staff(interaction)
        require_may_post(interaction, "attach_files")
        await own.export_file(interaction)

    @app_commands.command(name="remove", description="Staff: remove one of this server's own questions")
    @app_commands.describe(question="Which one")
    async def remove(self, interaction: Interaction, question: int) -> None:
        require_staff(interaction)
        removed = await own_questions.remove(self.bot.store, guild_id_of(interaction), question)
        if removed is None:
            raise Refused("I don't have that question; please pick one from the list.")
        await say(interaction, own.removed_sentence(removed))

    @remove.autocomplete("question")
    async def complete_question(self, interaction: Interaction, current: str) -> list[app_commands.Choice[int]]:
        if not self.bot.is_staff(interaction.user):
            return []
        found = await own_questions.of_guild(self.bot.store, guild_id_of(interaction))
        labels = [(f"{number}: {one.question}"[:100], str(number)) for number, one in reversed(found)]
        return [app_commands.Choice(name=choice.name, value=int(choice.value)) for choice in matching(current, labels)]

    @ask_question.autocomplete("topic")
    @practise.autocomplete("topic")
    @class_quiz.autocomplete("topic")
    @daily_question.autocomplete("topic")
    async def complete_topic(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await topics.choices(self.bot, guild_id_of(interaction), current)


BUTTONS = (
    scores.LeaderboardButton,
    GuessMenu,
    *kinds.BUTTONS,
    *in_class_buttons.BUTTONS,
    *follow_ups.BUTTONS,
)
FORMS = (*kinds.FORMS, *follow_ups.FORMS, *own.FORMS)


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Quiz(bot))
