"""Reading a request's body: JSON, or a form with `payload_json` and `files[n]`."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiohttp import BodyPartReader, web

from playground.rules import errors, fields, shapes
from playground.world.attachments import MIB, Upload

Json = dict[str, Any]

REQUEST_LIMIT_BYTES = 25 * MIB
BODY: web.RequestKey[Any] = web.RequestKey("body", object)
"""Where the doorway finds the JSON that a handler has read."""
_FILE_FIELD = re.compile(r"^files\[(\d+)\]$")
_CHUNK_BYTES = 64 * 1024
MOST_USERS = 100
_BOTS_SIDE = "/api/"


@dataclass(frozen=True)
class Form:
    """A request's JSON and its files by number."""

    body: Any
    files: dict[int, Upload] = field(default_factory=dict)


async def read_form(request: web.Request, file_limit_bytes: int) -> Form:
    """The body of a request; raises ApiError 40005 when a file or the whole is too large, 50109 when it isn't JSON,
    50035 for a bot's field of a wrong type."""
    if request.content_length is not None and request.content_length > request_limit(file_limit_bytes):
        raise errors.request_too_large()
    if request.content_type.startswith("multipart/"):
        form = await _read_multipart(request, file_limit_bytes)
    else:
        raw = await request.read()
        form = Form(_parse(raw) if raw else {})
    if request.path.startswith(_BOTS_SIDE):
        shapes.check(form.body)
    request[BODY] = form.body
    return form


def request_limit(file_limit_bytes: int) -> int:
    """The largest request: 25 MiB, or in a boosted server one file of the largest size and what goes with it."""
    return max(REQUEST_LIMIT_BYTES, file_limit_bytes + MIB)


async def read_object(request: web.Request, known: frozenset[str] | None = None) -> Json:
    """A JSON object without files; with `known`, raises ApiError 50035 for any other field."""
    body = (await read_form(request, 0)).body
    if not isinstance(body, dict):
        raise errors.invalid_json()
    if known is not None:
        faults = errors.Faults()
        fields.check_object(faults, body, known)
        faults.raise_if_any()
    return body


def number_of(request: web.Request, name: str, default: int) -> int:
    """A number of the address's query; raises ApiError 50035 for what is none."""
    text = request.query.get(name, str(default))
    if not text.isdecimal():
        tree = {name: {"_errors": [{"code": "NUMBER_TYPE_COERCE", "message": f'Value "{text[:50]}" is not int.'}]}}
        raise errors.ApiError(400, 50035, "Invalid Form Body", tree)
    return int(text)


def page_of_users(request: web.Request, user_ids: list[str]) -> list[str]:
    """The ids that a list's `limit` (25) and `after` ask for, in their order; raises ApiError 50035."""
    limit, after = number_of(request, "limit", 25), number_of(request, "after", 0)
    faults = errors.Faults()
    if not 1 <= limit <= MOST_USERS:
        faults.add(("limit",), "NUMBER_TYPE_RANGE", f"Must be between 1 and {MOST_USERS}.")
    faults.raise_if_any()
    return [user_id for user_id in sorted(user_ids, key=int) if int(user_id) > after][:limit]


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # the latter: brackets in brackets in brackets
        raise errors.invalid_json() from error


def _no_number(constant: str) -> NoReturn:
    """JSON has no NaN and no infinity, though Python reads them (RFC 8259, 6)."""
    raise ValueError(constant)


async def _read_multipart(request: web.Request, file_limit_bytes: int) -> Form:
    body: Any = {}
    files: dict[int, Upload] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise errors.invalid_json()
        match = _FILE_FIELD.match(part.name or "")
        content = bytearray()
        while chunk := await part.read_chunk(_CHUNK_BYTES):
            content += chunk
            total += len(chunk)
            if total > request_limit(file_limit_bytes) or (match and len(content) > file_limit_bytes):
                raise errors.request_too_large()
        if match:
            files[int(match[1])] = Upload(part.filename or "unknown", bytes(content))
        elif part.name == "payload_json":
            body = _parse(bytes(content))
    return Form(body, _described(body, files))


def _described(body: Any, files: dict[int, Upload]) -> dict[int, Upload]:
    """The files with the names and descriptions that `attachments` in the JSON gives them."""
    if not isinstance(body, dict):
        return files
    message = body.get("data", body)
    entries = message.get("attachments") if isinstance(message, dict) else None
    if not isinstance(entries, list):
        return files
    described = dict(files)
    for entry in entries:
        number = int(entry["id"]) if isinstance(entry, dict) and str(entry.get("id", "")).isdecimal() else -1
        if number in files:
            name = entry.get("filename") or files[number].filename
            described[number] = Upload(
                name,
                files[number].content,
                entry.get("description"),
                duration_s=entry.get("duration_secs"),
                waveform=entry.get("waveform"),
            )
    return described
