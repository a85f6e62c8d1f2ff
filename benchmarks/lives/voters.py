"""A class that votes over the wire, and remembers what it was told."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.lives.host import Host
from playground.driver import Refused
from playground.world.cast import Member
from playground.world.talk.messages import Message

FIRST_ID = 1_500_000_000_000_000_000
CHANNEL = "jazz-club"
_CONFIRMED = re.compile(r"(?:Your vote: |Changed to )\*\*(.+?)\*\*")
_TRIAL = re.compile(r'"sure:(\d+)"')
CHOICE_SAID = {"A is the human": "A", "B is the human": "B", "human": "human", "AI": "ai"}


@dataclass
class Press:
    """One press and what came of it."""

    choice: str
    pressed_at: float
    confirmed_at: float | None = None


class Voters:
    """Members who press. They are real to the bot, so their votes count in the figures."""

    def __init__(self, host: Host, size: int) -> None:
        self._host = host
        self.members = [
            Member(str(FIRST_ID + number), f"student_{number}", f"Student {number}", (), "#6d7080")
            for number in range(size)
        ]
        self.presses: dict[tuple[str, int], list[Press]] = defaultdict(list)
        """by member and trial, in their order"""
        for member in self.members:
            host.playground.users[member.id] = member
        host.playground.messages.listeners.append(self._heard)

    def _heard(self, event: str, message: Message) -> None:
        """A private answer says what is stored."""
        if event == "MESSAGE_DELETE" or message.visible_to is None:
            return
        said = _CONFIRMED.search(message.content)
        trial = _TRIAL.search(json.dumps(message.components))
        if said is None or trial is None:
            return
        for press in reversed(self.presses[message.visible_to, int(trial[1])]):
            if press.choice == CHOICE_SAID[said[1]]:
                press.confirmed_at = press.confirmed_at or time.perf_counter()
                return

    async def press(self, member: Member, trial: Trial, choice: str) -> Press:
        press = Press(choice, time.perf_counter())
        self.presses[member.id, trial.id].append(press)
        message = {"id": trial.message_id, "channel_id": trial.channel_id}
        with contextlib.suppress(Refused):  # there may be no bot at this moment
            await self._host.driver.member(member.slug).press(message, f"vote:{trial.id}:{choice}")
        return press

    def broken_promises(self) -> list[str]:
        """What was confirmed and isn't in the database."""
        rows = self._host.rows("SELECT discord_id, trial, choice FROM ballots JOIN members ON members.id = member")
        stored = {(str(member), trial): choice for member, trial, choice in rows}
        broken = []
        for (member, trial), presses in self.presses.items():
            confirmed = max((n for n, press in enumerate(presses) if press.confirmed_at is not None), default=None)
            if confirmed is None:
                continue
            possible = {press.choice for press in presses[confirmed:]}  # a later one may be stored without a word
            if stored.get((member, trial)) not in possible:
                broken.append(f"{member} on {trial}: told {presses[confirmed].choice}, {stored.get((member, trial))}")
        return broken

    def confirmed(self) -> int:
        return sum(press.confirmed_at is not None for presses in self.presses.values() for press in presses)


@dataclass(frozen=True)
class Trial:
    """Where a trial stands."""

    id: int
    message_id: str
    channel_id: str
    choices: tuple[str, str]


async def open_series(host: Host, trials: int, design: str = "pair", closes_in: int = 60) -> tuple[int, list[Trial]]:
    """Staff start a series over days; its number and its trials, once all of them stand."""
    known = host.rows("SELECT coalesce(max(id), 0) FROM series")[0][0]
    asked = await host.staff.use("poll start", channel=CHANNEL, trials=trials, design=design, closes_in=closes_in)
    if asked.outcome != "answered":
        raise RuntimeError(f"/poll start was not answered: {asked}")
    standing = (
        "SELECT series.id, trials.id, message_id, coalesce(thread_id, channel_id), design FROM trials"
        " JOIN series ON series.id = series WHERE series.id > ? AND message_id IS NOT NULL ORDER BY trials.id"
    )
    rows = await host.until(lambda: host.rows(standing, known), lambda found: len(found) == trials)
    return rows[0][0], [
        Trial(number, str(message), str(channel), ("A", "B") if shape == "pair" else ("human", "ai"))
        for _, number, message, channel, shape in rows
    ]
