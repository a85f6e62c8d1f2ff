"""From what a member filled in to the `data` of an interaction, held to the limits that Discord's composer enforces."""

from collections.abc import Mapping
from typing import Any

from playground.rules import components, errors
from playground.rules.components import SELECTS, Kind
from playground.rules.errors import Faults
from playground.world import cast, commands
from playground.world.attachments import Attachment, Attachments

Json = dict[str, Any]

INTEGER_LIMIT = 2**53


class Directory:
    """Looks up whom and what an option can point at, for `resolved`."""

    def __init__(
        self,
        users: Mapping[str, cast.Member],
        channels: Mapping[str, cast.Channel],
        roles: Mapping[str, Json],
        attachments: Attachments,
    ) -> None:
        self._users = users
        self._channels = channels
        self._attachments = attachments
        self._roles = roles

    def resolve(self, resolved: Json, kind: int, target: str) -> bool:
        """Adds `target` to `resolved`; False if there is no such user, role, channel or attachment."""
        if kind in (commands.USER_OPTION, commands.MENTIONABLE) and target in self._users:
            member = self._users[target]
            resolved.setdefault("users", {})[target] = member.user()
            resolved.setdefault("members", {})[target] = member.member() | {"permissions": "0"}
        elif kind in (commands.ROLE, commands.MENTIONABLE) and target in self._roles:
            resolved.setdefault("roles", {})[target] = self._roles[target]
        elif kind == commands.CHANNEL and target in self._channels:
            resolved.setdefault("channels", {})[target] = self._channels[target].payload() | {"permissions": "0"}
        elif kind == commands.ATTACHMENT and (attachment := self._attachments.get(target)) is not None:
            resolved.setdefault("attachments", {})[target] = self._attachments.payload(attachment)
        else:
            return False
        return True


def command_data(
    command: Json,
    path: list[str],
    given: Json,
    uploads: Mapping[int, Attachment],
    directory: Directory,
    *,
    focused: str | None = None,
) -> Json:
    """The `data` of a slash command, or, with the name of a `focused` option, of its autocomplete.

    `given` maps option names to values; an attachment is `{"upload": n}`. Raises ApiError 50035 as the composer would
    refuse to send: something required is missing, out of range, too long, or not among the choices."""
    faults = Faults()
    level, nesting = command["options"], []
    for name in path:
        entry = next(
            (o for o in level if o["name"] == name and o["type"] in (commands.SUBCOMMAND, commands.GROUP)), None
        )
        if entry is None:
            raise errors.unknown_command()
        nesting.append(entry)
        level = entry.get("options") or []
    if any(option["type"] in (commands.SUBCOMMAND, commands.GROUP) for option in level):
        raise errors.unknown_command()
    resolved: Json = {}
    filled: list[Json] = []
    for option in level:
        name = option["name"]
        if name not in given or given[name] is None:
            if option.get("required") and focused is None:
                faults.add((name,), "BASE_TYPE_REQUIRED", "This option is required.")
            continue
        value = given[name]
        if option["type"] == commands.ATTACHMENT:
            upload = uploads.get(value.get("upload", -1)) if isinstance(value, dict) else None
            value = upload.id if upload else ""
        if focused is None:
            value = _checked(faults, option, value)
        if option["type"] in (*range(commands.USER_OPTION, commands.NUMBER), commands.ATTACHMENT) and (
            not directory.resolve(resolved, option["type"], str(value))
        ):
            faults.add((name,), "BASE_TYPE_REQUIRED", "This option points at nothing.")
        entry = {"name": name, "type": option["type"], "value": value}
        if name == focused:
            # While it is being typed, a number is whatever text stands there.
            entry |= {"value": str(value), "focused": True}
        filled.append(entry)
    for name in given.keys() - {option["name"] for option in level}:
        faults.add((name,), "UNKNOWN_OPTION", "There is no such option.")
    faults.raise_if_any()
    for entry in reversed(nesting):
        filled = [{"name": entry["name"], "type": entry["type"], "options": filled}]
    data = _head(command) | {"options": filled}
    return data | ({"resolved": resolved} if resolved else {})


def menu_data(command: Json, target_id: str, resolved: Json) -> Json:
    """The `data` of a user or message menu."""
    return _head(command) | {"target_id": target_id, "resolved": resolved}


def check_selected(component: Json, values: list[str], directory: Directory) -> Json:
    """Checks what was chosen in a select (or uploaded in a file upload) and returns what it `resolved` to."""
    faults = Faults()
    low, high = components.value_range(component)
    if not low <= len(values) <= high and not (not values and component.get("required") is False):
        faults.add(("values",), "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    resolved: Json = {}
    kind = component["type"]
    if kind in (Kind.STRING_SELECT, Kind.CHECKBOX_GROUP):
        known = {option["value"] for option in component.get("options") or []}
        if not known.issuperset(values):
            faults.add(("values",), "BASE_TYPE_CHOICES", "This option does not exist.")
    else:
        points_at = {
            Kind.USER_SELECT: commands.USER_OPTION,
            Kind.ROLE_SELECT: commands.ROLE,
            Kind.MENTIONABLE_SELECT: commands.MENTIONABLE,
            Kind.CHANNEL_SELECT: commands.CHANNEL,
            Kind.FILE_UPLOAD: commands.ATTACHMENT,
        }[kind]
        for value in values:
            if not directory.resolve(resolved, points_at, value):
                faults.add(("values",), "BASE_TYPE_CHOICES", "This does not exist.")
    faults.raise_if_any()
    return resolved


def modal_data(modal: Json, given: Json, directory: Directory) -> Json:
    """The `data` of a submitted modal. `given` maps custom ids to a text, a list of values or a boolean."""
    faults = Faults()
    resolved: Json = {}
    rows: list[Json] = []
    for row in modal["components"]:
        kind = row["type"]
        if kind == Kind.TEXT_DISPLAY:
            rows.append({"type": kind, "id": row.get("id", 0)})
            continue
        field = row["components"][0] if kind == Kind.ACTION_ROW else row["component"]
        answer = _submitted(faults, field, given.get(field["custom_id"]), directory, resolved)
        rows.append({"type": kind} | ({"components": [answer]} if kind == Kind.ACTION_ROW else {"component": answer}))
    faults.raise_if_any()
    data: Json = {"custom_id": modal["custom_id"], "components": rows}
    return data | ({"resolved": resolved} if resolved else {})


def _submitted(faults: Faults, field: Json, value: Any, directory: Directory, resolved: Json) -> Json:
    """One input of a submitted modal."""
    kind, custom_id = field["type"], field["custom_id"]
    answer: Json = {"type": kind, "custom_id": custom_id, "id": field.get("id", 0)}
    required = field.get("required", True)
    if kind == Kind.TEXT_INPUT:
        text = str(value or "")
        low, high = field.get("min_length") or (1 if required else 0), field.get("max_length") or 4000
        if text or required:
            faults.length((custom_id,), text, low, high)
        return answer | {"value": text}
    if kind == Kind.CHECKBOX:
        return answer | {"value": bool(value)}
    if kind == Kind.RADIO_GROUP:
        known = {option["value"] for option in field["options"]}
        if value not in known and (value is not None or required):
            faults.add((custom_id,), "BASE_TYPE_REQUIRED", "This field is required")
        return answer | {"value": value}
    values = [str(item) for item in value or []]
    if kind in SELECTS | {Kind.FILE_UPLOAD, Kind.CHECKBOX_GROUP} and (values or required):
        for key, found in check_selected(field, values, directory).items():
            resolved.setdefault(key, {}).update(found)
    return answer | {"values": values}


def _head(command: Json) -> Json:
    head: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        head["guild_id"] = command["guild_id"]
    return head


def _checked(faults: Faults, option: Json, value: Any) -> Any:
    """The value in its wire type; notes a fault if it doesn't fit the option."""
    kind, path = option["type"], (option["name"],)
    if kind == commands.STRING:
        value = str(value)
        low, high = option.get("min_length", 0), option.get("max_length", 6000)
        if not low <= len(value) <= high:
            faults.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    elif kind == commands.BOOLEAN:
        if not isinstance(value, bool):
            faults.add(path, "BASE_TYPE_BOOLEAN", "Must be true or false.")
    elif kind in (commands.INTEGER, commands.NUMBER):
        try:
            value = int(str(value)) if kind == commands.INTEGER else float(value)
        except (ValueError, TypeError):
            faults.add(path, "NUMBER_TYPE_COERCE", f'"{value}" is not a valid number.')
            return value
        low, high = option.get("min_value", -INTEGER_LIMIT), option.get("max_value", INTEGER_LIMIT)
        if not low <= value <= high:
            faults.add(path, "NUMBER_TYPE_RANGE", f"Must be between {low} and {high}.")
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        faults.add(path, "BASE_TYPE_CHOICES", "Value must be one of the choices.")
    return value
