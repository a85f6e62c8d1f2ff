"""What the REST interface says when it refuses, in Discord's numbers: a bot's handlers meet here what they meet there.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal with an HTTP status, one of Discord's JSON codes, and for 50035 the tree of faulty fields."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> Json:
        """The JSON body of the answer."""
        body: Json = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    return ApiError(404, 0, "404: Not Found")


def unknown_channel() -> ApiError:
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    return ApiError(404, 10008, "Unknown Message")


def unknown_role() -> ApiError:
    return ApiError(404, 10011, "Unknown Role")


def invalid_role() -> ApiError:
    return ApiError(400, 50028, "Invalid Role")


def unknown_user() -> ApiError:
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """Too late (more than 3 s), or never heard of."""
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    return ApiError(404, 10063, "Unknown application command")


def too_many_command_creates() -> ApiError:
    return ApiError(400, 30034, "Max number of daily application command creates has been reached (200)")


def request_too_large() -> ApiError:
    return ApiError(413, 40005, "Request entity too large")


def already_acknowledged() -> ApiError:
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def not_your_message() -> ApiError:
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    return ApiError(400, 50006, "Cannot send an empty message")


def missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def invalid_webhook_token() -> ApiError:
    """The interaction's 15 minutes are over."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def cannot_send_to_user() -> ApiError:
    return ApiError(403, 50007, "Cannot send messages to this user")


def archived_thread() -> ApiError:
    return ApiError(400, 50083, "Thread is archived")


def locked_thread() -> ApiError:
    return ApiError(403, 160005, "This thread is locked")


def too_many_commands(most: int = 100) -> ApiError:
    return ApiError(400, 30032, f"Maximum number of application commands reached ({most}).")


def invalid_json() -> ApiError:
    return ApiError(400, 50109, "The request body contains invalid JSON.")


REFUSALS: dict[int, Callable[[], ApiError]] = {
    make().code: make
    for make in (
        unknown_channel,
        unknown_guild,
        unknown_member,
        unknown_message,
        unknown_role,
        invalid_role,
        unknown_user,
        unknown_webhook,
        unknown_interaction,
        unknown_command,
        too_many_command_creates,
        request_too_large,
        already_acknowledged,
        missing_access,
        not_your_message,
        empty_message,
        cannot_send_to_user,
        missing_permissions,
        invalid_webhook_token,
        archived_thread,
        locked_thread,
        too_many_commands,
        invalid_json,
    )
}
"""Every refusal with a code of its own, by that code."""


class Faults:
    """Collects the faulty fields of one request body and raises them together, as 50035 does.

    A field's path is a tuple of keys and indices: `("embeds", 0, "title")`.
    """

    def __init__(self) -> None:
        self._tree: Json = {}

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        """Notes one fault; `code` is Discord's name of it, e.g. BASE_TYPE_MAX_LENGTH."""
        node = self._tree
        for key in path:
            node = node.setdefault(str(key), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def length(self, path: tuple[str | int, ...], text: object, low: int, high: int) -> None:
        """Notes a fault unless `text` is a string of `low` to `high` characters."""
        if not isinstance(text, str):
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif low <= len(text) <= high:
            return
        elif not text:
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif low == high or len(text) > high:
            if low:
                self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
            else:
                self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        else:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def count(self, path: tuple[str | int, ...], items: list[Any], low: int, high: int) -> None:
        """Notes a fault unless the list has `low` to `high` items."""
        if not low <= len(items) <= high:
            if low:
                self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
            else:
                self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")

    def raise_if_any(self) -> None:
        """Raises the 50035 answer if a fault was noted."""
        if self._tree:
            raise ApiError(400, 50035, "Invalid Form Body", self._tree)
