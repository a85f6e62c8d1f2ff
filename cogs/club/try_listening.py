"""The welcome's own listening try: two clips for one member alone, a guess, and the answer at once.

It counts in no statistics, so nothing of it is stored. Which side the human is on follows from the database's secret
and from a number in the buttons: a restart doesn't forget it, and nobody reads it off an id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import acknowledge, settled
from bot.answering.jobs import one_job
from bot.answering.parcels import Upload
from bot.answering.posting import require_may_post, upload_limit_bytes
from bot.client import Interaction
from bot.library.preparation import Preparation, collection
from bot.rules.blind_poll import Design, draw_series
from bot.store import Store, meta

SIDES: Final = ("A", "B")
ASKED = (
    "**Two clips on the same chords, with the same band. A person played one solo, the network the other.** "
    "Listen to both, then say which one is the human."
)
ONLY_A_TRY = (
    "This one was just for you and doesn't count anywhere. In a class vote, nobody learns the answer before the end."
)
RIGHT = "You chose {chosen}. **Right: {human} is the human.** The network improvised {model}."
WRONG = (
    "You chose {chosen}. **Not this time: {human} is the human.** The network improvised {model}, and it got past you."
)
MARK = "👉"
"""Beside what was chosen, right or wrong: a tick would call it right."""


async def human_side(store: Store, number: str) -> str:
    """ "A" or "B": a fair coin that only this database can toss, always with the same result for a number."""
    digest = hmac.new(await meta.member_secret(store), f"try {number}".encode(), hashlib.sha256).digest()
    return SIDES[digest[0] & 1]


async def offer_pair(interaction: Interaction) -> None:
    """Have both sides of a pair made, and hand them to whoever asked, in private.

    Raises Refused where there's no human clip to draw, and the engine's errors."""
    bot = interaction.client
    assert interaction.guild_id is not None
    require_may_post(interaction, "attach_files")
    async with one_job(interaction, private=True) as job:
        found = await collection(bot.engine, bot.store, interaction.guild_id, recordings=False)
        candidates = [source.candidate for source in found.sources.values()]
        preparation = Preparation(
            engine=bot.engine,
            store=bot.store,
            guild_id=interaction.guild_id,
            job=job.ticket,
            max_bytes=upload_limit_bytes(interaction),
            on_event=job.show,
        )
        (made,) = await preparation.trials(draw_series(secrets.randbits(63), candidates, [Design.PAIR]), found)
        number = secrets.token_hex(8)
        human_first = await human_side(bot.store, number) == SIDES[0]
        sounds = (made.human_sound, made.model_sound) if human_first else (made.model_sound, made.human_sound)
        uploads = [Upload(f"clip-{side}.ogg", sound) for side, sound in zip(SIDES, sounds, strict=True)]
        view = discord.ui.View(timeout=None)
        for side in SIDES:
            view.add_item(GuessButton(number, side))
        await job.finish(content=ASKED, uploads=uploads, view=view)


class GuessButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"guess:(?P<number>[0-9a-f]{16}):(?P<side>A|B)",
):
    """Says which clip the human is, and tells at once: under the clips, so that they can be heard again."""

    def __init__(self, number: str, side: str, chosen: str = "") -> None:
        style = discord.ButtonStyle.secondary if chosen and chosen != side else discord.ButtonStyle.primary
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=f"{side} is the human",
            style=style,
            custom_id=f"guess:{number}:{side}",
            emoji=MARK if side == chosen else None,
        )
        super().__init__(button)
        self.number = number
        self.side = side

    async def press(self, interaction: Interaction) -> None:
        human = await human_side(interaction.client.store, self.number)
        model = SIDES[1 - SIDES.index(human)]
        sentence = (RIGHT if self.side == human else WRONG).format(chosen=self.side, human=human, model=model)
        told = discord.Embed(description=f"{sentence}\n\n{ONLY_A_TRY}")
        view = discord.ui.View(timeout=None)
        for side in SIDES:
            view.add_item(GuessButton(self.number, side, self.side))
        view.add_item(AnotherPairButton())
        await acknowledge(interaction, lambda: interaction.response.edit_message(embed=told, view=settled(view)))


class AnotherPairButton(Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"another-pair"):
    """Makes the next pair."""

    def __init__(self) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label="Another pair", style=discord.ButtonStyle.secondary, custom_id="another-pair"
        )
        super().__init__(button)

    async def press(self, interaction: Interaction) -> None:
        await offer_pair(interaction)
