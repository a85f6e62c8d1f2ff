"""A stranger's bot: discord.py, one command, one button, nothing of Woodshed. It answers at once.

python benchmarks/quick_bot.py http://127.0.0.1:8765/api/v10 TOKEN
"""

import sys

import discord
import yarl
from discord import app_commands

api_base, token = sys.argv[1:]
origin = api_base.removesuffix("/api/v10")
discord.http.Route.BASE = api_base
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(origin.replace("http", "ws") + "/gateway")
discord.Asset.BASE = origin

client = discord.Client(intents=discord.Intents(guilds=True))
tree = app_commands.CommandTree(client)


class Ballot(discord.ui.View):
    @discord.ui.button(label="Press", custom_id="press")
    async def press(self, interaction: discord.Interaction, _: discord.ui.Button["Ballot"]) -> None:
        await interaction.response.defer()


@tree.command(description="Shows the button")
async def ballot(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Press it.", view=Ballot(timeout=None))


@client.event
async def setup_hook() -> None:
    await tree.sync()


client.run(token, log_handler=None)
