"""The one place where an error becomes something that a member reads, and the log gets the rest."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.answering.discord_codes import (
    ALREADY_ANSWERED,
    EXPIRED,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_LARGE,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
)
from bot.answering.first_answers import begun_before, is_acknowledged, say
from bot.answering.live_reply import EXTRA, LiveReply
from bot.answering.text import MAX_CONTENT, plain, shorten
from bot.errors import SERVER_ONLY, STAFF_ONLY, EngineRefused, JobCancelled, Refused, Undelivered, WoodshedError
from bot.hosting.notices import report_defect
from bot.logs import begin_request, current_request
from engine.contract.quotes import unquoted

log = structlog.get_logger(__name__)

GENERAL_SENTENCE = "Sorry, something went wrong here. The people who run me can find the details in the log."

_SENTENCE_OF_CODE = {
    MISSING_ACCESS: "I can't see this channel, so I couldn't post the answer here.",
    MISSING_PERMISSIONS: "I'm missing a permission here: I need to send messages, embed links and attach files.",
    TOO_LARGE: "The result is larger than this server lets me upload. Please try something smaller.",
}


def sentence_for(error: BaseException) -> str:
    """What a member reads about `error`: one plain sentence, never the text of a defect."""
    error = _unwrap(error)
    match error:
        case WoodshedError():
            return error.sentence
        case app_commands.NoPrivateMessage():
            return SERVER_ONLY
        case app_commands.CommandOnCooldown():
            return f"You're fast! Please try again in {error.retry_after:.0f} s."
        case app_commands.MissingRole() | app_commands.MissingAnyRole() | app_commands.MissingPermissions():
            return STAFF_ONLY
        case app_commands.TransformerError():
            return f"This option doesn't accept “{error.value}”."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "This command has changed. Please restart Discord to get the new version."
        case discord.HTTPException() if error.status == 413:
            return _SENTENCE_OF_CODE[TOO_LARGE]
        case discord.HTTPException():
            return _SENTENCE_OF_CODE.get(error.code, GENERAL_SENTENCE)
    return GENERAL_SENTENCE


async def report(interaction: discord.Interaction[Any], error: BaseException, **context: Any) -> None:
    """Tell the member in one sentence, alone where that is possible, and the log in full. Never raises."""
    cause = _unwrap(error)
    for count in getattr(interaction.client, "failures", ()):
        count(interaction, cause)
    where = {
        "command": interaction.command.qualified_name if interaction.command else None,
        "custom_id": interaction.data.get("custom_id") if interaction.data else None,
        "guild": interaction.guild_id,
        "channel": interaction.channel_id,
        **context,
    }
    # The last of these are Discord's own checks. gRPC's error, behind the engine's refusal, repeats what it quotes.
    if isinstance(cause, Refused | EngineRefused | JobCancelled | app_commands.AppCommandError):
        log.info("refused", sentence=unquoted(sentence_for(cause)), **where)
    elif isinstance(cause, WoodshedError):
        # Where it came from is in the engine client's own lines and in the engine's log; a traceback adds nothing.
        log.warning(
            "not done",
            error=type(cause).__name__,
            sentence=unquoted(cause.sentence),
            cause=repr(cause.__cause__),
            **where,
        )
    elif isinstance(cause, discord.HTTPException) and cause.code in EXPIRED | {ALREADY_ANSWERED, UNKNOWN_MESSAGE}:
        log.warning("too late to answer", code=cause.code, **where)
        if cause.code == UNKNOWN_INTERACTION:
            return  # Discord takes no other first answer either
    elif isinstance(cause, aiohttp.ClientError | ConnectionError | discord.DiscordServerError):
        log.warning("Discord couldn't be reached", error=repr(cause), **where)  # its bad day, not our defect
    else:
        log.error("unforeseen error", exc_info=cause, **where)
        if notices := getattr(interaction.client, "notices", None):
            report_defect(notices, cause, where["command"] or where["custom_id"], current_request())
    if interaction.type is discord.InteractionType.autocomplete:
        return  # nothing can be shown but an empty list, which Discord does by itself
    if isinstance(cause, Undelivered):
        _tell_staff(interaction, cause)
        if not cause.worth_saying:
            return  # it may have arrived, or there's no way left to say anything
    try:
        await tell(interaction, sentence_for(cause))
    except Exception as failure:  # noqa: BLE001 -- of whatever kind: this is the last place that could say something
        log.warning("the member couldn't be told", failure=repr(failure), **where)


def _tell_staff(interaction: discord.Interaction[Any], error: Undelivered) -> None:
    """An answer was given up on: somebody may be able to mend why."""
    if notices := getattr(interaction.client, "notices", None):
        where = "a direct message" if interaction.guild_id is None else f"<#{interaction.channel_id}>"
        todo = "Please check my permissions there." if error.worth_saying else "The log has each attempt."
        notices.report(
            "result", f"I couldn't deliver an answer in {where}. {error.sentence} {todo}", guild_id=interaction.guild_id
        )


async def tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say `sentence` to the member alone, however far the interaction has come.

    Raises discord.HTTPException, Undelivered or a connection error when Discord takes nothing any more."""
    sentence = shorten(plain(sentence), MAX_CONTENT)  # it may repeat what somebody typed, or wrote into a file
    live_reply = interaction.extras.get(EXTRA)
    before = begun_before(interaction.client).get(interaction.id)
    if isinstance(live_reply, LiveReply):
        await live_reply.fail(sentence)
    elif before is not None:
        await LiveReply(interaction, 0.0, ephemeral=before.private, message_id=before.message_id).fail(sentence)
    elif not is_acknowledged(interaction):
        await say(interaction, sentence)
    else:
        await interaction.followup.send(sentence, ephemeral=True)


class ReportingTree(app_commands.CommandTree[Any]):
    """The command tree, with the one error handler of all application commands."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        begin_request(interaction.id)
        try:
            interaction.client.in_hand.take()
        except Refused as leaving:
            await report(interaction, leaving)
            return False
        return True

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        await report(interaction, error)


def _unwrap(error: BaseException) -> BaseException:
    """The defect itself, out of discord.py's wrapping."""
    if isinstance(error, app_commands.CommandInvokeError):
        return error.original
    if isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, WoodshedError):
        return error.__cause__
    return error
