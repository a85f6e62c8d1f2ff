"""Components of messages and modals: what Discord accepts, and how to find one again by its `custom_id`.

https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from playground.rules.errors import Faults

Json = dict[str, Any]
Path = tuple[str | int, ...]


class Kind(IntEnum):
    """Component types."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset(
    {Kind.STRING_SELECT, Kind.USER_SELECT, Kind.ROLE_SELECT, Kind.MENTIONABLE_SELECT, Kind.CHANNEL_SELECT}
)
_LABELLED = SELECTS | {Kind.TEXT_INPUT, Kind.FILE_UPLOAD, Kind.RADIO_GROUP, Kind.CHECKBOX_GROUP, Kind.CHECKBOX}
_V2_TOP = frozenset(
    {
        Kind.ACTION_ROW,
        Kind.SECTION,
        Kind.TEXT_DISPLAY,
        Kind.MEDIA_GALLERY,
        Kind.FILE,
        Kind.SEPARATOR,
        Kind.CONTAINER,
    }
)
_ROWS, _BUTTONS_IN_ROW, _V2_TOTAL, _V2_TEXT, _CUSTOM_ID, _OPTIONS = 5, 5, 40, 4000, 100, 25
_LINK, _PREMIUM = 5, 6


def walk(tree: list[Json]) -> Iterator[Json]:
    """Every component of a message or modal, outermost first."""
    for component in tree:
        yield component
        yield from walk(component.get("components") or [])
        for key in ("accessory", "component"):
            if isinstance(component.get(key), dict):
                yield from walk([component[key]])


def find(tree: list[Json], custom_id: str) -> Json | None:
    """The component with that id, or None."""
    return next((component for component in walk(tree) if component.get("custom_id") == custom_id), None)


def value_range(select: Json) -> tuple[int, int]:
    """How many values may be chosen: 1 to 1 unless it says otherwise."""
    low, high = select.get("min_values"), select.get("max_values")
    return 1 if low is None else low, 1 if high is None else high


_DEFAULTS: dict[Kind, Json] = {
    **{kind: {"min_values": 1, "max_values": 1} for kind in SELECTS},
    Kind.THUMBNAIL: {"description": None, "spoiler": False},
    Kind.FILE: {"spoiler": False},
    Kind.SEPARATOR: {"spacing": 1, "divider": True},
    Kind.CONTAINER: {"accent_color": None, "spoiler": False},
}


def with_defaults(component: Json) -> Json:
    """A component as Discord answers it: what the bot left out is written out."""
    full = _DEFAULTS.get(component["type"], {}) | component if component.get("type") in _DEFAULTS else dict(component)
    if component.get("type") == Kind.MEDIA_GALLERY:
        full["items"] = [{"description": None, "spoiler": False} | item for item in component["items"]]
    emoji = component.get("emoji")
    if emoji and emoji.get("id") is None:
        full["emoji"] = {key: value for key, value in emoji.items() if key != "id"}
    return full


def check_message_components(faults: Faults, tree: Any, *, is_v2: bool) -> None:
    """Notes every fault in a message's `components`."""
    path: Path = ("components",)
    if not isinstance(tree, list):
        faults.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if is_v2:
        parts = list(walk(tree))
        if len(parts) > _V2_TOTAL:
            faults.add(path, "COMPONENT_LAYOUT_MAX_COMPONENTS", f"The layout has more than {_V2_TOTAL} components.")
        text = sum(len(part.get("content") or "") for part in parts if part.get("type") == Kind.TEXT_DISPLAY)
        if text > _V2_TEXT:
            faults.add(path, "COMPONENT_LAYOUT_MAX_TEXT", f"The text of all components exceeds {_V2_TEXT} characters.")
        for number, component in enumerate(tree):
            _check_v2(faults, (*path, number), component, inside_container=False)
    else:
        faults.count(path, tree, 0, _ROWS)
        for number, component in enumerate(tree):
            if component.get("type") != Kind.ACTION_ROW:
                message = 'Value of field "type" must be one of (1,).'
                faults.add((*path, number, "type"), "UNION_TYPE_CHOICES", message)
            else:
                _check_row(faults, (*path, number), component)
    _check_unique(faults, path, tree)


def check_modal(faults: Faults, modal: Json) -> None:
    """Notes every fault in a modal (the `data` of a type 9 answer)."""
    faults.length(("data", "custom_id"), modal.get("custom_id"), 1, _CUSTOM_ID)
    faults.length(("data", "title"), modal.get("title"), 1, 45)
    tree = modal.get("components") or []
    faults.count(("data", "components"), tree, 1, 5)
    for number, component in enumerate(tree):
        path: Path = ("data", "components", number)
        kind = component.get("type")
        if kind == Kind.ACTION_ROW:
            inputs = component.get("components") or []
            faults.count((*path, "components"), inputs, 1, 1)
            for item in inputs:
                _check_field(faults, (*path, "components", 0), item, {Kind.TEXT_INPUT})
                faults.length((*path, "components", 0, "label"), item.get("label"), 1, 45)
        elif kind == Kind.LABEL:
            faults.length((*path, "label"), component.get("label"), 1, 45)
            if component.get("description"):
                faults.length((*path, "description"), component["description"], 0, 100)
            _check_field(faults, (*path, "component"), component.get("component") or {}, _LABELLED)
        elif kind == Kind.TEXT_DISPLAY:
            faults.length((*path, "content"), component.get("content"), 1, _V2_TEXT)
        else:
            faults.add((*path, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 10, 18).')
    _check_unique(faults, ("data", "components"), tree)


def _check_field(faults: Faults, path: Path, item: Json, allowed: set[Kind] | frozenset[Kind]) -> None:
    """An input of a modal."""
    kind = item.get("type")
    if kind not in allowed:
        faults.add((*path, "type"), "UNION_TYPE_CHOICES", "This component cannot be used here.")
        return
    faults.length((*path, "custom_id"), item.get("custom_id"), 1, _CUSTOM_ID)
    if kind == Kind.TEXT_INPUT:
        if item.get("placeholder"):
            faults.length((*path, "placeholder"), item["placeholder"], 0, 100)
        if item.get("value"):
            faults.length((*path, "value"), item["value"], 0, min(4000, item.get("max_length") or 4000))
    elif kind in SELECTS:
        _check_select(faults, path, item)
    elif kind in (Kind.RADIO_GROUP, Kind.CHECKBOX_GROUP):
        faults.count((*path, "options"), item.get("options") or [], 2 if kind == Kind.RADIO_GROUP else 1, 10)


def _check_row(faults: Faults, path: Path, row: Json) -> None:
    items = row.get("components") or []
    faults.count((*path, "components"), items, 1, _BUTTONS_IN_ROW)
    has_select = any(item.get("type") in SELECTS for item in items)
    if has_select and len(items) > 1:
        faults.add((*path, "components"), "COMPONENT_TYPE_INVALID", "A select takes a row of its own.")
    for number, item in enumerate(items):
        where = (*path, "components", number)
        if item.get("type") == Kind.BUTTON:
            _check_button(faults, where, item)
        elif item.get("type") in SELECTS:
            _check_select(faults, where, item)
        else:
            faults.add(
                (*where, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).'
            )


def _check_button(faults: Faults, path: Path, button: Json) -> None:
    style = button.get("style")
    if style not in range(1, 7):
        faults.add((*path, "style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
    if style == _LINK:
        if not str(button.get("url") or "").startswith(("http://", "https://", "discord://")):
            faults.add((*path, "url"), "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        if button.get("custom_id"):
            faults.add((*path, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_FORBIDDEN", "A link has no custom id.")
    elif style != _PREMIUM:
        faults.length((*path, "custom_id"), button.get("custom_id"), 1, _CUSTOM_ID)
    if button.get("label"):
        faults.length((*path, "label"), button["label"], 0, 80)
    elif not button.get("emoji") and style != _PREMIUM:
        faults.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji.")


def _check_select(faults: Faults, path: Path, select: Json) -> None:
    faults.length((*path, "custom_id"), select.get("custom_id"), 1, _CUSTOM_ID)
    if select.get("placeholder"):
        faults.length((*path, "placeholder"), select["placeholder"], 0, 150)
    low, high = value_range(select)
    if not (0 <= low <= _OPTIONS and 1 <= high <= _OPTIONS and low <= high):
        faults.add(
            (*path, "max_values"), "SELECT_COMPONENT_MIN_VALUES_TOO_HIGH", "min_values and max_values don't fit."
        )
    if select.get("type") != Kind.STRING_SELECT:
        return
    options = select.get("options") or []
    faults.count((*path, "options"), options, 1, _OPTIONS)
    if high > len(options):
        faults.add((*path, "max_values"), "SELECT_COMPONENT_MAX_VALUES_TOO_HIGH", "More max_values than options.")
    seen: set[str] = set()
    for number, option in enumerate(options):
        where = (*path, "options", number)
        faults.length((*where, "label"), option.get("label"), 1, 100)
        faults.length((*where, "value"), option.get("value"), 1, 100)
        if option.get("description"):
            faults.length((*where, "description"), option["description"], 0, 100)
        if option.get("value") in seen:
            message = "The specified option value is already used"
            faults.add((*where, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        seen.add(str(option.get("value")))


def _check_v2(faults: Faults, path: Path, component: Json, *, inside_container: bool) -> None:
    kind = component.get("type")
    if kind not in (_V2_TOP - {Kind.CONTAINER} if inside_container else _V2_TOP):
        faults.add((*path, "type"), "UNION_TYPE_CHOICES", "This component cannot be used here.")
    elif kind == Kind.ACTION_ROW:
        _check_row(faults, path, component)
    elif kind == Kind.CONTAINER:
        faults.count((*path, "components"), component.get("components") or [], 1, _V2_TOTAL)
        for number, item in enumerate(component.get("components") or []):
            _check_v2(faults, (*path, "components", number), item, inside_container=True)
    elif kind == Kind.SECTION:
        texts = component.get("components") or []
        faults.count((*path, "components"), texts, 1, 3)
        accessory = component.get("accessory") or {}
        if accessory.get("type") == Kind.BUTTON:
            _check_button(faults, (*path, "accessory"), accessory)
        elif accessory.get("type") != Kind.THUMBNAIL:
            faults.add((*path, "accessory"), "BASE_TYPE_REQUIRED", "This field is required")
    elif kind == Kind.TEXT_DISPLAY:
        faults.length((*path, "content"), component.get("content"), 1, _V2_TEXT)
    elif kind == Kind.MEDIA_GALLERY:
        faults.count((*path, "items"), component.get("items") or [], 1, 10)


def _check_unique(faults: Faults, path: Path, tree: list[Json]) -> None:
    seen: set[str] = set()
    for component in walk(tree):
        custom_id = component.get("custom_id")
        if custom_id and custom_id in seen:
            message = "Component custom id cannot be duplicated"
            faults.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        elif custom_id:
            seen.add(custom_id)
