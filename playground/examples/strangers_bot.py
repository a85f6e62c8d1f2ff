"""A stranger's bot: discord.py, three addresses, one command, one button.

TOKEN=... python strangers_bot.py http://127.0.0.1:8765
"""

import os
import sys

import discord
import yarl

ORIGIN = sys.argv[1]
discord.http.Route.BASE = f"{ORIGIN}/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(ORIGIN.replace("http", "ws", 1) + "/gateway")
discord.Asset.BASE = ORIGIN

client = discord.Client(intents=discord.Intents(guilds=True))
tree = discord.app_commands.CommandTree(client)


class Wave(discord.ui.View):
    @discord.ui.button(label="Wave back")
    async def wave(self, interaction: discord.Interaction, button: discord.ui.Button["Wave"]) -> None:
        await interaction.response.send_message(f"{interaction.user.display_name} waves.")


@tree.command(description="Says hello")
async def hello(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Hello from discord.py!", view=Wave())


@client.event
async def on_ready() -> None:
    await tree.sync()


client.run(os.environ["TOKEN"])
