"""What Discord accepts in a message: the checks behind "50035 Invalid Form Body".

The numbers are of API v10 as documented in August 2026; `check_message` holds a message to them, `components.py` the
components in it.
"""

from typing import Any

from playground.rules import components, errors, fields, polls
from playground.rules.errors import Faults
from playground.world import media
from playground.world.talk.messages import (
    COMPONENTS_V2,
    EPHEMERAL,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    VOICE_MESSAGE,
)

Json = dict[str, Any]

CONTENT = 2000
EMBEDS = 10
EMBED_TOTAL = 6000
FILES = 10

_SENDABLE_FLAGS = COMPONENTS_V2 | EPHEMERAL | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | VOICE_MESSAGE


def check_message(body: Any, file_count: int, *, existing: Json | None = None) -> None:
    """Raises ApiError unless `body` (with `file_count` files beside it) may be sent, or, where `existing` is the
    message's wire form, may be edited into it."""
    if not isinstance(body, dict):
        raise errors.invalid_json()
    if existing is not None and existing.get("poll"):
        raise polls.cannot_edit()
    faults = Faults()
    fields.check_message(faults, body, is_edit=existing is not None)
    flags = body.get("flags") or 0
    if not isinstance(flags, int) or flags & ~_SENDABLE_FLAGS:
        faults.add(("flags",), "BITFIELD_INVALID_FLAG", "This flag cannot be set on a message.")
        faults.raise_if_any()
    is_v2 = bool((flags | (existing or {}).get("flags", 0)) & COMPONENTS_V2)
    content = body.get("content")
    if content is not None:
        faults.length(("content",), str(content), 0, CONTENT) if content else None
    embeds = body.get("embeds")
    if embeds is not None:
        _check_embeds(faults, embeds)
    if is_v2:
        for key, value in (("content", content), ("embeds", embeds)):
            if value:
                faults.add((key,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", f"{key} is not allowed here.")
    listed = body.get("attachments")
    total_files = file_count if existing is None or listed is not None else file_count + len(existing["attachments"])
    if max(total_files, len(listed or [])) > FILES:
        faults.add(("attachments",), "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
    if body.get("poll") is not None:
        polls.check_poll(faults, body["poll"])
    if body.get("components") is not None:
        components.check_message_components(faults, body["components"], is_v2=is_v2)
    faults.raise_if_any()
    if flags & VOICE_MESSAGE:
        _check_voice(body, file_count)
    if existing is not None and existing["flags"] & VOICE_MESSAGE:
        raise errors.ApiError(400, 50162, "Voice messages cannot be edited.")
    if _is_empty(body, file_count, existing):
        raise errors.empty_message()


def _check_voice(body: Json, file_count: int) -> None:
    """A voice message is one sound, with how long it is and what it looks like, and nothing else."""
    if any(body.get(key) for key in ("content", "embeds", "components", "poll")):
        raise errors.ApiError(400, 50159, "Voice messages do not support additional content.")
    listed = body.get("attachments") or []
    named = str(listed[0].get("filename") or "") if len(listed) == 1 else ""
    if file_count != 1 or len(listed) != 1 or not (media.content_type(named) or "audio/").startswith("audio/"):
        raise errors.ApiError(400, 50160, "Voice messages must have a single audio attachment.")
    if not isinstance(listed[0].get("duration_secs"), int | float) or not listed[0].get("waveform"):
        raise errors.ApiError(400, 50161, "Voice messages must have supporting metadata.")


def _is_empty(body: Json, file_count: int, existing: Json | None) -> bool:
    now = existing or {}
    parts = (
        str(body.get("content", now.get("content")) or "").strip(),
        body.get("embeds", now.get("embeds")),
        body.get("components", now.get("components")),
        body.get("sticker_ids"),
        body.get("poll", now.get("poll")),
        body.get("attachments", now.get("attachments")) if existing is not None else None,
        file_count,
    )
    return not any(parts)


def _check_embeds(faults: Faults, embeds: Any) -> None:
    if not isinstance(embeds, list):
        faults.add(("embeds",), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    faults.count(("embeds",), embeds, 0, EMBEDS)
    total = 0
    for number, embed in enumerate(embeds):
        total += _check_embed(faults, ("embeds", number), embed)
    if total > EMBED_TOTAL:
        faults.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def _check_embed(faults: Faults, path: tuple[str | int, ...], embed: Any) -> int:
    """Checks one embed and returns how many of the 6000 characters it takes."""
    if not isinstance(embed, dict):
        faults.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return 0
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    limited = (
        (("title",), embed.get("title"), 256),
        (("description",), embed.get("description"), 4096),
        (("footer", "text"), footer.get("text"), 2048),
        (("author", "name"), author.get("name"), 256),
    )
    total = 0
    for keys, text, limit in limited:
        if text:
            faults.length((*path, *keys), text, 0, limit)
            total += len(text)
    fields = embed.get("fields") or []
    faults.count((*path, "fields"), fields, 0, 25)
    for number, item in enumerate(fields):
        name, value = str(item.get("name") or ""), str(item.get("value") or "")
        faults.length((*path, "fields", number, "name"), name, 1, 256)
        faults.length((*path, "fields", number, "value"), value, 1, 1024)
        total += len(name) + len(value)
    for key in ("image", "thumbnail"):
        url = (embed.get(key) or {}).get("url")
        if url is not None and not str(url).startswith(("http://", "https://", "attachment://")):
            message = "Scheme must be one of ('http', 'https', 'attachment')."
            faults.add((*path, key, "url"), "URL_TYPE_INVALID_SCHEME", message)
    colour = embed.get("color")
    if colour is not None and not 0 <= colour <= 0xFFFFFF:
        faults.add((*path, "color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    if not any((total, embed.get("image"), embed.get("thumbnail"), embed.get("video"), embed.get("url"))):
        faults.add((*path, "description"), "BASE_TYPE_REQUIRED", "This field is required")
    return total
