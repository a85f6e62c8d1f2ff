"""Buttons and menus that outlive the process: all they know is in their custom id, the rest is in the store.

discord.py's `DynamicItem` finds them again by a pattern (its examples/views/dynamic_counter.py).
"""

from __future__ import annotations

import re
import typing
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, Self

import discord
import structlog

from bot.answering.error_handler import report
from bot.answering.first_answers import is_acknowledged
from bot.answering.parcels import Upload
from bot.answering.text import code_block
from bot.errors import Refused
from bot.logs import begin_request

log = structlog.get_logger(__name__)

MOST_OPTIONS = 25
"""Of a select menu, by Discord's rule."""
LARGEST_NUMBER = 2**63 - 1
"""Of SQLite's integers."""
WORTH_GIVING_BACK = 40
"""Characters: shorter texts are quickly typed again."""
MOST_IN_A_MESSAGE = 1800
YOURS = "So that you needn't type it again, here's what you wrote:"
NOT_OFFERED = "That isn't among the choices of this menu. Please choose again."


def number(digits: str) -> int:
    """A number out of a custom id. One that the store can't hold becomes the largest that it can: nothing has it."""
    return min(int(digits), LARGEST_NUMBER)


class Durable:
    """Mixed in before `discord.ui.DynamicItem`, which would only log what a callback raises.

    A subclass writes `press`; whatever that raises goes to the one error handler. The named groups of its template are
    the arguments of its `__init__`, converted by their annotations: `(?P<poll>\\d+)` and `poll: int`. If that takes a
    `select`, it's given the menu that was used."""

    async def press(self, interaction: discord.Interaction[Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} doesn't say what a press does")

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        types = typing.get_type_hints(cls.__init__)
        read = {name: number if types[name] is int else types[name] for name in match.groupdict()}
        arguments = {name: read[name](text) for name, text in match.groupdict().items()}
        if isinstance(item, discord.ui.Select) and "select" in types:
            arguments["select"] = item
        return cls(**arguments)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await _handled(interaction, self._pressed(interaction))

    async def _pressed(self, interaction: discord.Interaction[Any]) -> None:
        require_offered(interaction)
        await self.press(interaction)


def require_offered(interaction: discord.Interaction[Any]) -> None:
    """Raises Refused unless what was chosen stands in the menu on the message: Discord's own programs send nothing
    else, but somebody else's may."""
    chosen = _data(interaction).get("values", [])
    for menu in _menus(interaction.message) if chosen else ():
        if menu.custom_id == _data(interaction).get("custom_id") and menu.options:
            offered = {option.value for option in menu.options}
            if not offered.issuperset(chosen) or len(set(chosen)) < len(chosen) or len(chosen) > menu.max_values:
                raise Refused(NOT_OFFERED)


def _menus(message: discord.Message | None) -> Iterator[discord.SelectMenu]:
    for row in message.components if message is not None else ():
        if isinstance(row, discord.ActionRow):
            yield from (item for item in row.children if isinstance(item, discord.SelectMenu))


class DurableForm(discord.ui.Modal):
    """A form whose answer is understood by another process than the one that opened it.

    discord.py keeps open forms in memory and knows no pattern for them. So a form's own `on_submit` does nothing, and
    a cog that listens to interactions calls `submit` with its forms. A subclass gives the `template` of its custom id,
    and writes `submitted`."""

    template: re.Pattern[str]

    def __init_subclass__(cls, *, template: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.template = re.compile(template)

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Nothing: see above."""

    @classmethod
    async def submitted(cls, interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        raise NotImplementedError(f"{cls.__name__} doesn't say what happens to its answer")


async def submit(interaction: discord.Interaction[Any], forms: Sequence[type[DurableForm]]) -> None:
    """Hand an interaction to the form that it answers, if it is one of these."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return
    custom_id = str(_data(interaction).get("custom_id", ""))
    for form in forms:
        match = form.template.fullmatch(custom_id)
        if match is not None and not await _handled(interaction, form.submitted(interaction, match)):
            await _give_back(interaction)


async def _give_back(interaction: discord.Interaction[Any]) -> None:
    """Discord has closed the form: whoever typed something long into it shouldn't have to do that again."""
    typed = "\n\n".join(text for text in fields_of(interaction).values() if text.strip())
    if len(typed) < WORTH_GIVING_BACK or not is_acknowledged(interaction):
        return
    try:
        if len(typed) <= MOST_IN_A_MESSAGE:
            await interaction.followup.send(f"{YOURS}\n{code_block(typed)}", ephemeral=True)
        else:
            file = Upload("what-you-typed.txt", typed.encode()).file()
            await interaction.followup.send(YOURS, file=file, ephemeral=True)
    except Exception as failure:  # noqa: BLE001 -- a kindness after the answer: it mustn't hide what was said before
        log.warning("a form's text couldn't be given back", failure=repr(failure))


def fields_of(interaction: discord.Interaction[Any]) -> dict[str, str]:
    """What was filled into a form, by the custom ids of its text fields, in their order."""
    found: dict[str, str] = {}
    waiting: list[Any] = list(_data(interaction).get("components", []))
    while waiting:
        item = waiting.pop(0)
        waiting += [*item.get("components", []), *([item["component"]] if "component" in item else [])]
        if isinstance(item.get("value"), str):
            found[item["custom_id"]] = item["value"]
    return found


def _data(interaction: discord.Interaction[Any]) -> dict[str, Any]:
    return dict(interaction.data or {})


async def _handled(interaction: discord.Interaction[Any], work: Awaitable[None]) -> bool:
    """Whether it was done; what it raised has been reported."""
    begin_request(interaction.id)
    try:
        interaction.client.in_hand.take()
        await work
    except Exception as error:  # noqa: BLE001 -- the handler logs it in full and tells the member
        await report(interaction, error)
        return False
    return True


class ChoiceMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"(?!)"):
    """Knows the number of the answer that it stands under, also after a restart.

    A subclass gives the template of its custom id, with a group `creation`, and writes `press`; what was chosen is
    `self.chosen`."""

    def __init__(self, creation: int, select: discord.ui.Select[discord.ui.View]) -> None:
        super().__init__(select)
        self.creation_id = creation

    @classmethod
    def of(
        cls, creation_id: int, custom_id: str, placeholder: str, options: Sequence[discord.SelectOption], row: int = 0
    ) -> Self:
        """A menu of at most `MOST_OPTIONS` options."""
        return cls(
            creation_id,
            discord.ui.Select(placeholder=placeholder, options=list(options), custom_id=custom_id, row=row),
        )

    @property
    def chosen(self) -> str:
        return self.item.values[0]
