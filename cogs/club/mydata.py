"""/mydata: what the bot keeps about a member, to download or to delete."""

from __future__ import annotations

import json

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.durable import Durable
from bot.answering.first_answers import replace, say
from bot.answering.jobs import one_answer
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post
from bot.client import Interaction, Woodshed
from bot.settings import StoreSettings
from bot.store import clips, members


def all_kept(settings: StoreSettings) -> str:
    """What comes with the file."""
    return (
        "Here's everything I keep about you. I also hold the files behind the buttons of your pictures and clips, and "
        "any files of yours that other people's pictures are made from; they're listed with their sizes, not included. "
        f"I keep what you posted for {settings.picture_days:.0f} days at most, and no more than "
        f"{settings.member_mb} MB of files behind your buttons: the oldest go first. If you performed a clip, staff "
        "typed your name, so it isn't in here."
    )


WARNING = (
    "This removes every link between you and what I keep. I'll cancel your jobs, and delete your votes in open "
    "polls, your place on leaderboards, everything I've stored for the buttons under your pictures and clips, and any "
    "pictures of yours that I've stored for the buttons under other people's. Your quiz answers and your votes in "
    "closed polls stay, without your name, so the totals stay right. Clips and styles that you've added "
    "to a server stay with the server. You can't undo this."
)
PLAYED = (
    "Clips that you performed for a server's polls stay as well: all I have is the name that staff typed for the "
    "performer. Staff can remove a clip with `/clips remove`, and the name with `forget_name:True`."
)


def named_sentence(clips: int) -> str:
    """Said when clips name a performer with the member's name. Their titles would tell what polls are about."""
    named = "One clip on this server names" if clips == 1 else f"{clips} clips on this server name"
    return f"**{named} a performer with your name. If that's you, talk to staff first.**"


class MyData(commands.GroupCog, group_name="mydata", group_description="What I keep about you"):
    """Answers are private."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(ForgetButton)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(ForgetButton)

    @app_commands.command(description="Everything I keep about you, as a JSON file that only you see")
    async def export(self, interaction: Interaction) -> None:
        require_may_post(interaction, "attach_files")
        kept = await members.export(self.bot.store, interaction.user.id)  # before its own answer is among the open ones
        async with one_answer(interaction, private=True) as answer:
            content = json.dumps({"discord_id": str(interaction.user.id), **kept}, indent=2, ensure_ascii=False)
            await answer.finish(
                content=all_kept(self.bot.settings.store), uploads=[Upload("woodshed-my-data.json", content.encode())]
            )

    @app_commands.command(description="Make me forget you; quiz and poll totals stay correct")
    async def delete(self, interaction: Interaction) -> None:
        view = discord.ui.View(timeout=None).add_item(ForgetButton())
        paragraphs = [WARNING, PLAYED]
        if interaction.guild_id is not None:
            user = interaction.user
            names = {name for name in (user.name, user.global_name, user.display_name) if name}
            if named := await clips.named(self.bot.store, interaction.guild_id, names):
                paragraphs.append(named_sentence(named))
        await say(interaction, "\n\n".join(paragraphs), view=view)


class ForgetButton(Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"mydata:forget"):
    """Forgets whoever presses it."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.Button(label="Forget me", style=discord.ButtonStyle.danger, custom_id="mydata:forget")
        )

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        for job_id in bot.engine.jobs_of(bot.member_key(interaction.user.id)):
            bot.engine.hang_up(job_id)  # or it would leave something new behind
        bot.drafts.forget(interaction.user.id)
        known = await members.forget(bot.store, interaction.user.id, bot.now())
        sentence = "Done. I've forgotten you." if known else "I had nothing about you."
        await replace(interaction, sentence)
