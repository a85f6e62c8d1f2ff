"""/mydata: what the bot keeps of a member, to take along or to be forgotten."""

from __future__ import annotations

import io
import json
import re
from typing import Any, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import Interaction
from bot.answering.durable import Durable
from bot.answering.posting import require_may_post
from bot.client import Woodshed
from bot.store import clips, members

ALL_KEPT = (
    "This lists all I keep of you. Files that I hold for the buttons of your pictures and clips stand in it with their "
    "size and SHA-256, not in full. Who played a clip is kept as a name that staff typed, so that isn't in it."
)
WARNING = (
    "This cuts every tie between you and what I keep. Your quiz answers and your votes on closed polls stay, as those "
    "of somebody unknown, so that totals stay right; your votes on open polls, your place on leaderboards and "
    "everything behind the buttons of your pictures and clips are deleted. Clips and styles that you added to a server "
    "stay with the server. It can't be undone."
)
PLAYED = (
    "Clips that you played for a server's polls stay, too: I know their performers only as names that staff typed, not "
    "tied to you. Staff take one away with `/clips remove`, and the name with `forget_name:True`."
)


def named_sentence(clips: int) -> str:
    """Said when uploads name somebody called like the member. Their titles would tell what polls are about."""
    named = "One clip on this server names" if clips == 1 else f"{clips} clips on this server name"
    return f"**{named} a performer called like you; if that is you, ask staff before you go.**"


class MyData(commands.GroupCog, group_name="mydata", group_description="What I keep of you"):
    """Answers are private."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command(description="A list of all that I keep of you, as a JSON file for you alone")
    async def export(self, interaction: Interaction) -> None:
        require_may_post(interaction, "attach_files")
        await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await members.export(self.bot.store, interaction.user.id)
        content = json.dumps({"discord_id": interaction.user.id, **kept}, indent=2, ensure_ascii=False).encode()
        file = discord.File(io.BytesIO(content), filename="woodshed-my-data.json")
        await interaction.edit_original_response(content=ALL_KEPT, attachments=[file])

    @app_commands.command(description="Have me forget you; totals of quiz and polls stay right")
    async def delete(self, interaction: Interaction) -> None:
        view = discord.ui.View(timeout=None).add_item(ForgetButton())
        paragraphs = [WARNING, PLAYED]
        if interaction.guild_id is not None:
            user = interaction.user
            names = {name for name in (user.name, user.global_name, user.display_name) if name}
            if named := await clips.named(self.bot.store, interaction.guild_id, names):
                paragraphs.append(named_sentence(named))
        await interaction.response.send_message("\n\n".join(paragraphs), view=view, ephemeral=True)


class ForgetButton(Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"mydata:forget"):
    """Forgets whoever presses it."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.Button(label="Forget me", style=discord.ButtonStyle.danger, custom_id="mydata:forget")
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls()

    async def press(self, interaction: Interaction) -> None:
        now = discord.utils.utcnow().timestamp()
        known = await members.forget(interaction.client.store, interaction.user.id, now)
        sentence = "Done: I no longer know you." if known else "There was nothing: I didn't know you."
        await interaction.response.edit_message(content=sentence, view=None)
