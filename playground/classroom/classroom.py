"""A simulated class: members who vote and answer the class quiz, so that an instructor sees results with numbers.

They act as the page does, on public messages of the bot with a question in them: two or more buttons whose ids differ
only in their last part (`vote:12:human`, `vote:12:ai`). Personal questions are left alone. Everything marks them as
simulated: their names, their usernames, and a role that the bot can see.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from playground.classroom.minds import Mind
from playground.rules import components, errors
from playground.rules.components import Kind
from playground.world import cast
from playground.world.cast import Json, Member
from playground.world.interactions import Outcome
from playground.world.state import Playground
from playground.world.talk.messages import Message

_log = logging.getLogger(__name__)

QUESTIONS = frozenset({"vote", "class"})
"""First parts of the ids of buttons that are everybody's to press."""
ALONE = frozenset({"several", "type"})
"""First parts of the ids of menus and buttons that are a whole question, `several:class:3:7`."""
GUESSES = ("0", "1", "2", "3", "4", "8", "0.5", "(2, 3)")
"""What somebody types who doesn't know."""
KNOWS = frozenset({"known", "unknown"})

Act = Callable[[Playground, Member, Json], Awaitable[object]]
"""Does what a member does on the page: the body is that of `POST .../interactions`, with the channel's id in it."""


class Classroom:
    """The class of one playground; empty until `bring`."""

    def __init__(self, playground: Playground, act: Act) -> None:
        self._playground = playground
        self._act = act
        self._minds: dict[str, Mind] = {}
        self._asked: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Future[object]] = set()
        self._pace = 1.0
        playground.messages.listeners.append(self._heard)

    @property
    def size(self) -> int:
        return len(self._minds)

    def bring(self, size: int, pace: float = 1.0) -> None:
        """Brings in `size` members (0: sends all home). `pace` stretches the time that they take; 0 is at once."""
        self.send_home()
        self._pace = pace
        for number, member in enumerate(cast.simulated_members(size)):
            self._playground.users[member.id] = member
            self._minds[member.id] = Mind.of(number)
        self._playground.audience.send("CHANNELS_UPDATE", {})
        for message in self._playground.messages.recent():
            self._heard("MESSAGE_CREATE", message)

    def has(self, member_id: str) -> bool:
        """Whether this member sits in the class now, and hasn't been sent home."""
        return member_id in self._minds

    def send_home(self) -> None:
        """Nobody answers any more; what was answered stays."""
        for task in self._tasks:
            task.cancel()
        self._minds.clear()

    async def close(self) -> None:
        self.send_home()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _heard(self, event: str, message: Message) -> None:
        if event == "MESSAGE_DELETE" or not self._minds or message.author_id != cast.BOT.id:
            return
        if message.visible_to is None:
            for question, choices in questions(message.components).items():
                if question.split(":")[0] in QUESTIONS:
                    self._ask_everybody(message, question, choices)
            for component in components.walk(message.components):
                custom_id = str(component.get("custom_id") or "")
                if not component.get("disabled") and custom_id.split(":")[0] in ALONE and _of_class(custom_id):
                    self._ask_for_more(message, component)
        elif message.visible_to in self._minds:
            self._follow_up(message, self._playground.users[message.visible_to])

    def _ask_everybody(self, message: Message, question: str, choices: list[str]) -> None:
        for member_id, mind in self._minds.items():
            if (member_id, question) not in self._asked:
                self._asked.add((member_id, question))
                choice = mind.choose(question, choices)
                wait_s = mind.decides_after_s(question) * self._pace
                self._start(self._press(member_id, message, f"{question}:{choice}", wait_s))

    def _ask_for_more(self, message: Message, component: Json) -> None:
        """A question with a menu, of which one chooses several, or with a form, into which one types."""
        custom_id = component["custom_id"]
        for member_id, mind in self._minds.items():
            if (member_id, custom_id) in self._asked:
                continue
            self._asked.add((member_id, custom_id))
            wait_s = mind.decides_after_s(custom_id) * self._pace
            if component["type"] == Kind.BUTTON:
                self._start(self._type(member_id, message, custom_id, wait_s))
            else:
                options = [option["value"] for option in component["options"]]
                most = component.get("max_values", 1)
                chosen = mind.choose_several(custom_id, options, component.get("min_values", 1), most)
                self._start(self._press(member_id, message, custom_id, wait_s, chosen))

    async def _type(self, member_id: str, message: Message, custom_id: str, wait_s: float) -> None:
        """Opens the form and writes a guess into each of its lines."""
        opened = await self._press(member_id, message, custom_id, wait_s)
        if not isinstance(opened, Outcome) or opened.kind != "modal":
            return
        mind = self._minds.get(member_id)
        if mind is None:  # sent home meanwhile
            return
        lines = [c for c in components.walk(opened.content["components"]) if c["type"] == Kind.TEXT_INPUT]
        fields = {line["custom_id"]: mind.choose(custom_id, list(GUESSES)) for line in lines}
        body: Json = {"kind": "modal", "channel_id": message.channel_id, "fields": fields}
        await self._do(member_id, body | {"interaction_id": opened.content["interaction_id"]})

    def _follow_up(self, message: Message, member: Member) -> None:
        """Answers what the bot asks this member in private: chooses an option of each menu."""
        mind = self._minds[member.id]
        for component in components.walk(message.components):
            custom_id = component.get("custom_id", "")
            if component["type"] != Kind.STRING_SELECT or (member.id, custom_id) in self._asked:
                continue
            self._asked.add((member.id, custom_id))
            value = mind.choose(custom_id, [option["value"] for option in component["options"]])
            self._start(self._press(member.id, message, custom_id, 2.0 * mind.hesitation * self._pace, [value]))

    def _start(self, pressing: Awaitable[object]) -> None:
        task = asyncio.ensure_future(pressing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _press(
        self, member_id: str, message: Message, custom_id: str, wait_s: float, values: list[str] | None = None
    ) -> object:
        await asyncio.sleep(wait_s)
        body: Json = {"kind": "component", "channel_id": message.channel_id, "message_id": message.id}
        return await self._do(member_id, body | {"custom_id": custom_id, "values": values})

    async def _do(self, member_id: str, body: Json) -> object:
        try:
            return await self._act(self._playground, self._playground.users[member_id], body)
        except errors.ApiError as refusal:  # the poll has closed meanwhile
            _log.info("A simulated member came too late: %s", refusal)
            return None


def _of_class(custom_id: str) -> bool:
    return custom_id.split(":")[1:2] == ["class"]


def questions(tree: list[Json]) -> dict[str, list[str]]:
    """Groups of two or more enabled buttons by what their ids have in common, with what follows the last colon."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for component in components.walk(tree):
        if component.get("type") == Kind.BUTTON and not component.get("disabled"):
            question, _, choice = str(component.get("custom_id") or "").rpartition(":")
            if question and choice not in KNOWS:
                found[question].append(choice)
    return {question: choices for question, choices in found.items() if len(choices) > 1}
