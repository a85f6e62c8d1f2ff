"""Runs the class quizzes: shows each phase, waits for its end, goes on, and posts the ranking.

All that a quiz is stands in the store; a move is committed first and shown after. So a bot that was killed shows the
phase that the store names, finds the question it had posted, and goes on; a phase that ended meanwhile is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiohttp
import discord
import structlog

from bot.client import Woodshed
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Distribution, Phase
from bot.store import class_quiz
from bot.store.class_quiz import ClassQuiz, Round
from cogs.quiz import class_views
from cogs.quiz.class_buttons import control_view, round_view

log = structlog.get_logger(__name__)

COUNT_INTERVAL_S = 2.0
"""Pause between two edits that only bring the count up to date."""
LOOK_AT_THE_CLOCK_S = 20.0
"""The wall clock decides, and it may be moved or the machine suspended: longer than this nobody sleeps on."""
RETRY_S = 10.0
MOST_RETRIES = 30
"""Of one phase that Discord doesn't take, five minutes in all; then the quiz goes on and the log says so."""


class ClassRunner:
    """One task for each quiz that runs."""

    def __init__(self, bot: Woodshed, clock: Callable[[], float]) -> None:
        self.bot = bot
        self.clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._changed: dict[int, asyncio.Event] = {}
        self._resuming: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Take up every quiz that isn't over, as soon as the bot is ready."""
        self._resuming = asyncio.create_task(self._resume(), name="class-quizzes")

    async def _resume(self) -> None:
        await self.bot.wait_until_ready()
        for quiz in await class_quiz.untold(self.bot.store):
            self.start(quiz.id)

    def start(self, number: int) -> None:
        if number in self._tasks:
            return
        self._changed[number] = asyncio.Event()
        task = asyncio.create_task(self._run(number), name=f"class-quiz-{number}")
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._forget(number))

    def _forget(self, number: int) -> None:
        self._tasks.pop(number, None)
        self._changed.pop(number, None)

    def changed(self, number: int) -> None:
        """Somebody answered, or the host moved the quiz on: show it."""
        if number in self._changed:
            self._changed[number].set()

    def stop(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
        for task in self._tasks.values():
            task.cancel()

    async def _run(self, number: int) -> None:
        try:
            await self._play(number)
        except Exception:
            log.exception("a class quiz stopped", quiz=number)

    async def _play(self, number: int) -> None:
        store, shown = self.bot.store, None
        while True:
            quiz = await class_quiz.get(store, number)
            if quiz is None or quiz.told:
                return
            self._changed[number].clear()
            if quiz.ended:
                await self._with_retries(self._tell_ranking, quiz)
                await class_quiz.set_told(store, number, self.clock())
                return
            state = (quiz.standing, await self._voters(quiz))
            if state != shown:
                await self._with_retries(self._show, quiz)
                shown = state
            ends_at = quiz.standing.ends_at
            if ends_at is not None and self.clock() >= ends_at:
                now = self.clock()
                await class_quiz.move(store, quiz, rules.advance(quiz.plan, quiz.standing, now), now)
                continue
            await self._wait(number, ends_at)

    async def _wait(self, number: int, ends_at: float | None) -> None:
        """Until the phase ends or something changes; a change of the count alone is let gather for a moment."""
        left_s = LOOK_AT_THE_CLOCK_S if ends_at is None else ends_at - self.clock()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(left_s, 0.0), LOOK_AT_THE_CLOCK_S)):
                await self._changed[number].wait()
                await asyncio.sleep(COUNT_INTERVAL_S)

    async def _voters(self, quiz: ClassQuiz) -> int:
        vote = quiz.standing.vote or 1
        return await class_quiz.voters(self.bot.store, quiz.id, quiz.standing.position, vote)

    async def _with_retries(self, show: Callable[[ClassQuiz], Awaitable[None]], quiz: ClassQuiz) -> None:
        """Show it, again after a while where Discord or the line fails; what Discord refuses for good is logged."""
        for _ in range(MOST_RETRIES):
            try:
                await show(quiz)
            except (aiohttp.ClientError, OSError, discord.HTTPException) as error:
                status = getattr(error, "status", None)
                log.warning("a class quiz could not be shown", quiz=quiz.id, status=status, error=str(error))
                if status is not None and status < 500 and status != 429:
                    return
                await asyncio.sleep(RETRY_S)
            else:
                return

    # ------------------------------------------------------------ what is shown

    def _channel(self, quiz: ClassQuiz) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable(quiz.channel_id, guild_id=quiz.guild_id)

    async def _round(self, quiz: ClassQuiz, position: int) -> Round:
        return (await class_quiz.rounds(self.bot.store, quiz.id))[position]

    async def _show(self, quiz: ClassQuiz) -> None:
        at = await self._round(quiz, quiz.standing.position)
        if quiz.standing.phase is Phase.REVEALED:
            embed = class_views.reveal_embed(quiz, at, *await self._distributions(quiz, at))
            view = control_view(quiz)
        else:
            embed = class_views.round_embed(quiz, at, await self._voters(quiz))
            view = round_view(quiz, at)
        await self._put(quiz, at, embed, view)

    async def _put(self, quiz: ClassQuiz, at: Round, embed: discord.Embed, view: discord.ui.View) -> None:
        """Into the question's message; a question that has none yet is posted, once: Discord knows a second message
        with the same nonce as the first."""
        channel = self._channel(quiz)
        if at.message_id is None:
            message = await channel.send(embed=embed, view=view, nonce=f"class-quiz-{quiz.id}-{at.position}")
            await class_quiz.set_message(self.bot.store, quiz.id, at.position, message.id)
            if at.position:
                await self._leave_behind(quiz, at.position - 1)
        else:
            await channel.get_partial_message(at.message_id).edit(embed=embed, view=view)

    async def _leave_behind(self, quiz: ClassQuiz, position: int) -> None:
        """A question that is over keeps its answer and loses its buttons."""
        before = await self._round(quiz, position)
        if before.message_id is None:
            return
        message = self._channel(quiz).get_partial_message(before.message_id)
        with contextlib.suppress(discord.HTTPException):
            if before.skipped:
                await message.edit(embed=class_views.skipped_embed(quiz, before), view=None)
            else:
                await message.edit(view=None)

    async def _distributions(self, quiz: ClassQuiz, at: Round) -> tuple[Distribution, Distribution | None]:
        answers = await class_quiz.answers(self.bot.store, quiz.id)
        question = at.posted.question

        def of(vote: int) -> Distribution:
            return rules.distribution(answers, at.position, vote, len(question.options), question.correct)

        return of(1), of(2) if quiz.plan.second_vote else None

    async def _tell_ranking(self, quiz: ClassQuiz) -> None:
        store = self.bot.store
        rounds = await class_quiz.rounds(store, quiz.id)
        # A quiz that was ended early leaves its last questions unasked, and perhaps one that was never revealed.
        revealed = quiz.standing.position + (quiz.standing.phase is Phase.REVEALED)
        asked = [at for at in rounds[:revealed] if not at.skipped]
        answers = await class_quiz.answers(store, quiz.id)
        correct = {at.position: at.posted.question.correct for at in asked}
        options = {at.position: len(at.posted.question.options) for at in asked}
        scores = rules.points_of(answers, await class_quiz.guesses(store, quiz.id), correct, options)
        teams = rules.team_scores(scores, answers) if quiz.plan.teams else {}
        embed = class_views.ranking_embed(
            quiz,
            rules.ranking(scores),
            rules.ranking(teams),
            await class_quiz.discord_ids(store, quiz.id),
            len(asked),
        )
        await self._channel(quiz).send(embed=embed, nonce=f"class-quiz-end-{quiz.id}")
        await self._leave_behind(quiz, quiz.standing.position)
