"""Which fields of a request this small Discord models.

Whatever else a bot sends is refused, so that nobody takes a field that is quietly ignored here for one that works.
"""

from collections.abc import Iterable
from typing import Any

from playground.rules import components
from playground.rules.components import Kind
from playground.rules.errors import Faults

Json = dict[str, Any]
Path = tuple[str | int, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MESSAGE = _words(
    "content embeds allowed_mentions components flags attachments message_reference nonce enforce_nonce poll tts"
)
MESSAGE_EDIT = _words("content embeds allowed_mentions components flags attachments")
CALLBACK = frozenset({"type", "data"})
EMBED = _words("title type description url timestamp color footer image thumbnail video provider author fields")
EMBED_FIELD = frozenset({"name", "value", "inline"})
COMMAND = _words(
    "id name name_localizations description description_localizations options "
    "default_member_permissions dm_permission contexts integration_types nsfw type application_id "
    "guild_id version"
)
OPTION = _words(
    "type name name_localizations description description_localizations required choices options "
    "channel_types min_value max_value min_length max_length autocomplete"
)
CHOICE = frozenset({"name", "name_localizations", "value"})
THREAD = _words("name auto_archive_duration rate_limit_per_user type invitable applied_tags message")
THREAD_EDIT = _words("name archived locked auto_archive_duration rate_limit_per_user invitable")

_SELECT = _words("custom_id placeholder min_values max_values disabled required options default_values")
COMPONENTS: dict[Kind, frozenset[str]] = {
    Kind.ACTION_ROW: frozenset({"components"}),
    Kind.BUTTON: _words("style label emoji custom_id sku_id url disabled"),
    Kind.STRING_SELECT: _SELECT,
    Kind.TEXT_INPUT: _words("custom_id style label min_length max_length required value placeholder"),
    Kind.USER_SELECT: _SELECT,
    Kind.ROLE_SELECT: _SELECT,
    Kind.MENTIONABLE_SELECT: _SELECT,
    Kind.CHANNEL_SELECT: _SELECT | {"channel_types"},
    Kind.SECTION: frozenset({"components", "accessory"}),
    Kind.TEXT_DISPLAY: frozenset({"content"}),
    Kind.THUMBNAIL: frozenset({"media", "description", "spoiler"}),
    Kind.MEDIA_GALLERY: frozenset({"items"}),
    Kind.FILE: frozenset({"file", "spoiler"}),
    Kind.SEPARATOR: frozenset({"divider", "spacing"}),
    Kind.CONTAINER: frozenset({"components", "accent_color", "spoiler"}),
    Kind.LABEL: frozenset({"label", "description", "component"}),
    Kind.FILE_UPLOAD: _words("custom_id min_values max_values required"),
    Kind.RADIO_GROUP: frozenset({"custom_id", "options", "required"}),
    Kind.CHECKBOX_GROUP: _words("custom_id options min_values max_values required"),
    Kind.CHECKBOX: frozenset({"custom_id", "default"}),
}


def check_message(faults: Faults, body: Json, *, is_edit: bool) -> None:
    """Notes every field of a message, its embeds and its components that isn't modelled; empty ones pass."""
    _check(faults, (), body, MESSAGE_EDIT if is_edit else MESSAGE)
    for number, embed in enumerate(_objects(body.get("embeds"))):
        _check(faults, ("embeds", number), embed, EMBED)
        for index, field in enumerate(_objects(embed.get("fields"))):
            _check(faults, ("embeds", number, "fields", index), field, EMBED_FIELD)
    check_components(faults, ("components",), body.get("components"))


def check_components(faults: Faults, path: Path, tree: object) -> None:
    """Notes every field of a tree of components that isn't modelled."""
    for component in components.walk(list(_objects(tree))):
        kind = component.get("type")
        if kind in COMPONENTS:
            _check(faults, path, component, COMPONENTS[Kind(kind)] | {"type", "id"})


def check_command(faults: Faults, path: Path, body: Json) -> None:
    """Notes every field of a command, its options and their choices that isn't modelled."""
    _check(faults, path, body, COMMAND)
    _check_options(faults, (*path, "options"), body.get("options"))


def check_object(faults: Faults, body: Json, known: frozenset[str], path: Path = ()) -> None:
    """Notes every field of a plain object that isn't in `known`."""
    _check(faults, path, body, known)


def _check_options(faults: Faults, path: Path, options: object) -> None:
    for number, option in enumerate(_objects(options)):
        _check(faults, (*path, number), option, OPTION)
        _check_options(faults, (*path, number, "options"), option.get("options"))
        for index, choice in enumerate(_objects(option.get("choices"))):
            _check(faults, (*path, number, "choices", index), choice, CHOICE)


def _check(faults: Faults, path: Path, body: Json, known: frozenset[str]) -> None:
    for name in sorted(body.keys() - known):
        if body[name] not in (None, [], {}, "", False):
            faults.add((*path, name), "NOT_MODELLED", "The playground doesn't model this field.")


def _objects(items: object) -> Iterable[Json]:
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
