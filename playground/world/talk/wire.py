"""The parts of a message as the wire has them: reactions, polls, embeds, numbered components, mentions, times."""

import datetime
import re
from collections.abc import Iterable
from typing import Any

from playground.rules import polls
from playground.rules.components import with_defaults
from playground.world import cast

Json = dict[str, Any]

_USER_MENTION = re.compile(r"<@!?(\d+)>")


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC, with microseconds, as the wire has it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="microseconds")


def reaction(emoji: str, users: list[str]) -> Json:
    """The wire's reaction object, as the bot sees it."""
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "burst_colors": [],
        "me": cast.BOT.id in users,
        "me_burst": False,
        "burst_me": False,
        "burst_count": 0,
    }


def new_poll(asked: Json, now_s: float) -> Json:
    """A poll as it is kept, from an already validated request."""
    answers = [{"answer_id": n, "poll_media": a["poll_media"]} for n, a in enumerate(asked["answers"], 1)]
    return {
        "question": {"text": asked["question"]["text"]},
        "answers": answers,
        "expiry": timestamp(now_s + 3600 * (asked.get("duration") or polls.DEFAULT_H)),
        "allow_multiselect": bool(asked.get("allow_multiselect")),
        "layout_type": 1,
        "votes": {},
        "is_finalized": False,
    }


def shown_poll(poll: Json) -> Json:
    """The wire's poll object, as the bot sees it."""
    counts = [
        {"id": int(answer_id), "count": len(voters), "me_voted": cast.BOT.id in voters}
        for answer_id, voters in poll["votes"].items()
        if voters
    ]
    shown = {key: poll[key] for key in ("question", "answers", "expiry", "allow_multiselect", "layout_type")}
    return shown | {"results": {"answer_counts": counts, "is_finalized": poll["is_finalized"]}}


def with_inline(embed: Json) -> Json:
    """The embed whose fields all say whether they stand in a row."""
    if not embed.get("fields"):
        return embed
    return embed | {"fields": [{"inline": False} | item for item in embed["fields"]]}


def addresses(value: Any) -> Iterable[str]:
    """Every `url` in a tree of embeds or components."""
    if isinstance(value, list):
        for item in value:
            yield from addresses(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "url" and isinstance(item, str):
                yield item
            else:
                yield from addresses(item)


def numbered(component: Json, numbers: Iterable[int]) -> Json:
    """The component tree with the `id`s that Discord adds where a bot gave none."""
    iterator = iter(numbers)

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        is_component = isinstance(value.get("type"), int)
        if not is_component:
            return {key: walk(item) for key, item in value.items()}
        full = {"id": value.get("id") or next(iterator)} | {k: v for k, v in with_defaults(value).items() if k != "id"}
        return {key: walk(item) for key, item in full.items()}

    numbered: Json = walk(component)
    return numbered


def mentioned(content: str, allowed: Json | None) -> list[str]:
    """Ids of the users that a text mentions, as far as `allowed_mentions` lets it."""
    found = list(dict.fromkeys(_USER_MENTION.findall(content)))
    if allowed is None or "users" in allowed.get("parse", []):
        return found
    return [user_id for user_id in found if user_id in [str(u) for u in allowed.get("users", [])]]
