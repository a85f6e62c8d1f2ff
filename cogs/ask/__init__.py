"""/ask, "Explain this", the course's notes, and the questions that nothing answered."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_staff
from bot.answering.durable import submit
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.posting import require_may_post
from bot.answering.text import named, too_many_questions
from bot.attachments.fetching import require_size
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.rules.quotas import Quota
from bot.services import RecentQuestions
from bot.store.lessons import notes as kept_notes
from bot.store.lessons import unanswered as kept
from cogs.ask import notes, unanswered
from cogs.ask.answers import answer_question
from cogs.ask.buttons import AskStaffButton, CardNextButton, DocumentationButton, StaffForm

QUESTIONS_PER_MINUTE = 10
STAFF_QUESTIONS = (3, 600.0)
"""How often in how many seconds a member may have the course staff pinged."""
LONG_QUESTIONS = 300
"""How many are remembered for whoever takes them to staff; 1.2 million characters at most."""
NO_TEXT = "There's no text in that message for me to explain."


class Ask(commands.Cog):
    """Answers are computed or quoted, never guessed."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.quota = Quota(QUESTIONS_PER_MINUTE, 60.0)
        bot.services.staff_questions = Quota(*STAFF_QUESTIONS)
        bot.services.asked = RecentQuestions(LONG_QUESTIONS)
        self.menu = app_commands.ContextMenu(name="Explain this", callback=self.explain_this)

    async def cog_load(self) -> None:
        self.bot.tree.add_command(self.menu)
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)
        self.bot.remove_dynamic_items(*BUTTONS)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """A form was filled in."""
        await submit(interaction, FORMS)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await kept_notes.leave(self.bot.store, guild.id)

    @app_commands.command(description="Ask about PyTorch and deep learning, or have a shape or a tensor computed")
    @app_commands.describe(
        question="Your question in your own words, an error message, or code", private="Only you see the answer"
    )
    async def ask(
        self, interaction: Interaction, question: app_commands.Range[str, 1, 4000], private: bool = False
    ) -> None:
        if not private:
            require_may_post(interaction, "embed_links")
        self._take_turn(interaction)
        await answer_question(interaction, question, private=private)

    async def explain_this(self, interaction: Interaction, message: discord.Message) -> None:
        """The message menu: what a message, a traceback or some code is about. Only its reader sees the answer."""
        text = message.content or "\n".join(embed.description or "" for embed in message.embeds)
        if not text.strip():
            raise Refused(NO_TEXT)
        self._take_turn(interaction)
        await answer_question(interaction, text[:4000], private=True)

    def _take_turn(self, interaction: Interaction) -> None:
        wait_s = self.quota.take(interaction.user.id, self.bot.now())
        if wait_s:
            raise Refused(too_many_questions(wait_s))

    @app_commands.command(name="unanswered", description="Staff: the questions that I couldn't answer")
    @app_commands.describe(keep="Whether I keep such questions from now on; if not, I also delete those I have")
    @app_commands.guild_only()
    async def unanswered(self, interaction: Interaction, keep: bool | None = None) -> None:
        require_staff(interaction)
        guild_id = guild_id_of(interaction)
        if keep is not None:
            await kept.keep(self.bot.store, guild_id, keep)
        embed, view = await unanswered.overview(self.bot.store, guild_id)
        await say(interaction, embed=embed, view=view)


@app_commands.guild_only()
class Notes(
    commands.GroupCog, group_name="notes", group_description="Staff: the course's own notes, which /ask quotes"
):
    """A server's notes are its own: no other server's members are ever shown them."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command(description="Staff: have /ask quote a file of the course's notes")
    @app_commands.describe(file="A .md, .txt, .pdf, .ipynb or .py file; one of the same name is replaced")
    async def add(self, interaction: Interaction, file: discord.Attachment) -> None:
        require_staff(interaction)
        guild_id = guild_id_of(interaction)
        limit = self.bot.settings.discord.max_attachment_bytes
        require_size(file, limit)
        async with one_answer(interaction, private=True) as answer:
            data = await self.bot.attachments.read(file, limit)
            reply = await self.bot.engine.read_notes(data, file.filename)
            sentence = await notes.keep(self.bot, guild_id, file.filename, reply, interaction.user.id)
            await answer.finish(content=sentence)

    @app_commands.command(name="list", description="Staff: the notes that /ask quotes")
    async def list_notes(self, interaction: Interaction) -> None:
        require_staff(interaction)
        await say(interaction, notes.listed(await kept_notes.of_guild(self.bot.store, guild_id_of(interaction))))

    @app_commands.command(description="Staff: take a file out of the notes")
    @app_commands.describe(file="Its name")
    async def remove(self, interaction: Interaction, file: app_commands.Range[str, 1, 100]) -> None:
        require_staff(interaction)
        if not await kept_notes.remove(self.bot.store, guild_id_of(interaction), file):
            raise Refused("I don't have a file by that name. `/notes list` shows what's there.")
        await say(interaction, f"Removed **{named(file)}**; `/ask` no longer quotes it.")

    @remove.autocomplete("file")
    async def complete_file(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        if not self.bot.is_staff(interaction.user):
            return []
        found = await kept_notes.of_guild(self.bot.store, guild_id_of(interaction))
        return matching(current, [(note.file, note.file) for note in found])


BUTTONS = (CardNextButton, DocumentationButton, AskStaffButton, *unanswered.BUTTONS)
FORMS = (StaffForm, *unanswered.FORMS)


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Ask(bot))
    await bot.add_cog(Notes(bot))
