"""The JSON types of a bot's fields: an odd one is refused before anybody looks into it."""

from collections.abc import Mapping
from typing import Any

from playground.rules.errors import Faults

Json = dict[str, Any]
Path = tuple[str | int, ...]


class ListOf:
    """A list in which everything is of one type."""

    def __init__(self, kind: type) -> None:
        self.kind = kind


_OBJECTS = ListOf(dict)
_TEXTS = "content title description name label placeholder custom_id url username reason filename text waveform"
_OBJECT = "data poll question poll_media allowed_mentions message_reference emoji footer image thumbnail author media"
_LISTS = "embeds components attachments fields options choices answers items default_values"
_NUMBERS = "flags min_values max_values min_length max_length layout_type style color accent_color"
SHAPES: Mapping[str, Any] = {
    **dict.fromkeys(_TEXTS.split(), str),
    **dict.fromkeys(_OBJECT.split(), dict),
    **dict.fromkeys(_LISTS.split(), _OBJECTS),
    **dict.fromkeys(_NUMBERS.split(), int),
    "nonce": (str, int),
    "id": (str, int),
    "type": (str, int),
    "message_id": (str, int),
    "component": dict,
    "accessory": dict,
    "parse": ListOf(str),
    "users": list,
    "roles": list,
    "name_localizations": dict,
    "description_localizations": dict,
    "contexts": ListOf(int),
    "integration_types": ListOf(int),
}
"""By the field's name. Nothing (null) is always right."""


def check(body: Any) -> None:
    """Raises ApiError 50035 that names every field of the wrong type, however deep it is."""
    faults = Faults()
    _walk(faults, (), body)
    faults.raise_if_any()


def _walk(faults: Faults, path: Path, value: Any) -> None:
    if isinstance(value, list):
        for number, item in enumerate(value):
            _walk(faults, (*path, number), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if item is not None and key in SHAPES and not _fits(item, SHAPES[key]):
                faults.add((*path, key), "BASE_TYPE_BAD_TYPE", "This field has the wrong type.")
            else:
                _walk(faults, (*path, key), item)


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, ListOf):
        return isinstance(value, list) and all(isinstance(item, shape.kind) for item in value)
    return isinstance(value, shape)
