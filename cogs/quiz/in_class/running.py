"""Runs the class quizzes: shows each phase, goes on when it ends, and posts the ranking.

All that a quiz is stands in the store; a move is committed first and shown after. So a bot that was killed shows the
phase that the store names, finds the question it had posted, and goes on; a phase that ended meanwhile is over.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import discord
import structlog

from bot.alarm import Alarm
from bot.answering.parcels import Parcel
from bot.answering.posts import edit, post
from bot.client import Woodshed
from bot.errors import Undelivered
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Distribution, Phase, Standing
from bot.rules.quiz import Question
from bot.store.lessons import class_quiz
from bot.store.lessons.class_quiz import ClassQuiz, Round
from cogs.quiz.in_class import views
from cogs.quiz.in_class.buttons import control_view, round_view
from cogs.quiz.questions import picture_of

log = structlog.get_logger(__name__)

COUNT_INTERVAL_S = 2.0
"""Pause between two edits that only bring the count up to date."""
RETRY_S = 10.0


class ClassRunner:
    """An alarm for each quiz that isn't over."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self._alarms: dict[int, Alarm] = {}
        self._shown: dict[int, tuple[Standing, int]] = {}
        self._resuming = Alarm("class-quizzes", self._resume, bot.now)

    def begin(self) -> None:
        """Take up every quiz that isn't over. The bot has to be ready."""
        self._resuming.ring()

    async def _resume(self) -> float | None:
        for quiz in await class_quiz.untold(self.bot.store):
            self.start(quiz.id)
        return None

    def start(self, number: int) -> None:
        if number not in self._alarms:
            self._alarms[number] = Alarm(f"class-quiz-{number}", lambda: self._go_on(number), self.bot.now)
            self._alarms[number].ring()

    def changed(self, number: int, *, at_once: bool = False) -> None:
        """Somebody answered, or the host moved the quiz on: show it."""
        alarm = self._alarms.get(number)
        if alarm is None:
            return
        if at_once:
            alarm.ring()
        else:
            alarm.ring_within(COUNT_INTERVAL_S)

    async def message_gone(self, channel_id: int, message_id: int) -> None:
        """Somebody deleted a message: if it's the question at hand, the class needs it again."""
        quiz = await class_quiz.running_in(self.bot.store, channel_id)
        if quiz is None or (await self._round(quiz, quiz.standing.position)).message_id != message_id:
            return
        self._shown.pop(quiz.id, None)
        self.changed(quiz.id, at_once=True)

    def stop(self) -> None:
        for alarm in (self._resuming, *self._alarms.values()):
            alarm.stop()

    async def _go_on(self, number: int) -> float | None:
        """Show where the quiz stands, and move it on as long as a phase is over; returns when the next one will be."""
        store = self.bot.store
        while True:
            quiz = await class_quiz.get(store, number)
            if quiz is None or quiz.told:
                self._alarms.pop(number, None)
                return None
            try:
                if quiz.ended:
                    await self._tell_ranking(quiz)
                    await class_quiz.set_told(store, number, self.bot.now())
                    continue
                await self._show_once(quiz)
            except Undelivered as error:
                log.warning("a class quiz could not be shown", quiz=number, final=error.final, error=str(error))
                if not error.final:
                    return self.bot.now() + RETRY_S
                if quiz.ended:  # the channel is gone or closed: nobody is left to tell
                    await class_quiz.set_told(store, number, self.bot.now())
                    continue
            now, ends_at = self.bot.now(), quiz.standing.ends_at
            if ends_at is None or now < ends_at:
                return ends_at
            await class_quiz.move(store, quiz, rules.advance(quiz.plan, quiz.standing, now), now)

    async def _show_once(self, quiz: ClassQuiz) -> None:
        """Unless just this is shown already."""
        state = (quiz.standing, await self._voters(quiz))
        if self._shown.get(quiz.id) != state:
            await self._show(quiz)
            self._shown[quiz.id] = state

    async def _voters(self, quiz: ClassQuiz) -> int:
        vote = quiz.standing.vote or 1
        return await class_quiz.voters(self.bot.store, quiz.id, quiz.standing.position, vote)

    # ------------------------------------------------------------ what is shown

    async def _round(self, quiz: ClassQuiz, position: int) -> Round:
        return (await class_quiz.rounds(self.bot.store, quiz.id))[position]

    async def _show(self, quiz: ClassQuiz) -> None:
        at = await self._round(quiz, quiz.standing.position)
        if quiz.standing.phase is Phase.REVEALED:
            embed = views.reveal_embed(quiz, at, *await self._counted(quiz, at))
            view = control_view(quiz)
        else:
            embed = views.round_embed(quiz, at, await self._voters(quiz))
            view = round_view(quiz, at)
        await self._put(quiz, at, embed, view)

    async def _put(self, quiz: ClassQuiz, at: Round, embed: discord.Embed, view: discord.ui.View) -> None:
        """Into the question's message; a question that has none yet is posted, and once, whatever happens."""
        parcel = Parcel(embeds=[embed], view=view, uploads=picture_of(at.posted.question))
        nonce = f"class-{quiz.id}-{at.position}"
        if at.message_id is not None:
            try:
                await edit(
                    self.bot,
                    quiz.channel_id,
                    at.message_id,
                    _as_edit(parcel),
                    guild_id=quiz.guild_id,
                    patience=self.bot.patience,
                )
                return
            except Undelivered as error:
                if not error.final:
                    raise
                log.info("a question in class was deleted; it's posted again", quiz=quiz.id, position=at.position)
                nonce = f"{nonce}-{at.message_id % 1000}"  # for Discord, the same one would name what was deleted
        title = embed.title
        message_id = await post(
            self.bot,
            quiz.channel_id,
            parcel,
            guild_id=quiz.guild_id,
            patience=self.bot.patience,
            nonce=nonce,
            may_be_there=True,
            is_it=lambda message: _has_button(message, f"class-host:{quiz.id}:") and _title(message) == title,
        )
        await class_quiz.set_message(self.bot.store, quiz.id, at, message_id)
        if at.position:
            await self._leave_behind(quiz, at.position - 1)

    async def _leave_behind(self, quiz: ClassQuiz, position: int) -> None:
        """A question that is over keeps its answer and loses its buttons."""
        before = await self._round(quiz, position)
        if before.message_id is None:
            return
        if before.skipped:
            embed = views.skipped_embed(quiz, before)
        elif position < quiz.standing.position or quiz.standing.phase is Phase.REVEALED:
            embed = views.reveal_embed(quiz, before, *await self._counted(quiz, before))
        else:
            embed = views.left_embed(quiz, before)
        with contextlib.suppress(Undelivered):
            parcel = _as_edit(Parcel(embeds=[embed]))
            await edit(
                self.bot, quiz.channel_id, before.message_id, parcel, guild_id=quiz.guild_id, patience=self.bot.patience
            )

    async def _counted(self, quiz: ClassQuiz, at: Round) -> tuple[Question, Distribution, Distribution | None]:
        """The question with the options that its answers are counted by, and the distribution of each vote."""
        answers = await class_quiz.answers(self.bot.store, quiz.id)
        question = rules.counted_by(answers, at.position, at.posted.question)
        first = rules.distribution(answers, at.position, 1, question)
        second = rules.distribution(answers, at.position, 2, question) if quiz.plan.second_vote else None
        return question, first, second

    async def _tell_ranking(self, quiz: ClassQuiz) -> None:
        store = self.bot.store
        rounds = await class_quiz.rounds(store, quiz.id)
        # A quiz that was ended early leaves its last questions unasked, and perhaps one that was never revealed.
        revealed = quiz.standing.position + (quiz.standing.phase is Phase.REVEALED)
        asked = [at for at in rounds[:revealed] if not at.skipped]
        answers = await class_quiz.answers(store, quiz.id)
        questions = {at.position: at.posted.question for at in asked}
        scores = rules.points_of(answers, await class_quiz.guesses(store, quiz.id), questions)
        teams = rules.team_scores(scores, answers) if quiz.plan.teams else {}
        embed = views.ranking_embed(
            quiz,
            rules.ranking(scores),
            rules.ranking(teams),
            await class_quiz.discord_ids(store, quiz.id),
            len(asked),
        )
        await post(
            self.bot,
            quiz.channel_id,
            Parcel(embeds=[embed]),
            guild_id=quiz.guild_id,
            patience=self.bot.patience,
            nonce=f"class-{quiz.id}-end",
            may_be_there=True,
            is_it=lambda message: _footer(message) == embed.footer.text,
        )
        await self._leave_behind(quiz, quiz.standing.position)


def _as_edit(parcel: Parcel) -> Parcel:
    """A question's picture was posted with it, and stays."""
    return replace(parcel, uploads=(), keeps_files=True)


def _title(message: discord.Message) -> str | None:
    return message.embeds[0].title if message.embeds else None


def _footer(message: discord.Message) -> str | None:
    return message.embeds[0].footer.text if message.embeds else None


def _has_button(message: discord.Message, prefix: str) -> bool:
    return any(
        str(getattr(item, "custom_id", "")).startswith(prefix)
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for item in row.children
    )
