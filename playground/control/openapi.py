"""Discord's own OpenAPI description, held against what is accepted and answered here (`--openapi FILE`).

The file is `openapi.json` of discord/discord-api-spec. One thing is relaxed: ids may be numbers, because discord.py
sends some as such.
"""

import collections
import functools
import json
import re
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_KEPT = 1000


class Description:
    """The description, and the violations that were met."""

    def __init__(self, path: Path) -> None:
        """Reads the file; raises OSError or ValueError. jsonschema-rs does the checking, and is only needed here."""
        import jsonschema_rs

        self._make = jsonschema_rs.Draft202012Validator
        self._schemas, self._responses, self._operations, self._validators = _read(path, path.stat().st_mtime)
        self.violations: collections.deque[str] = collections.deque(maxlen=_KEPT)
        self.checked = 0

    def knows(self, route: str) -> bool:
        """Whether a route, as "METHOD /path/{part}", is one of Discord's."""
        return _normal(route) in self._operations

    def check_request(self, route: str, body: Any) -> None:
        """Notes what is wrong with the JSON of a request that was accepted."""
        content = self._operations.get(_normal(route), {}).get("requestBody", {}).get("content", {})
        self._check(f"request {route}", content.get("application/json", {}).get("schema"), body)

    def check_answer(self, route: str, status: int, body: Any) -> None:
        """Notes what is wrong with the JSON of an answer."""
        answers = self._operations.get(_normal(route), {}).get("responses", {})
        found = answers.get(str(status)) or {}
        if "$ref" in found:
            found = self._responses.get(found["$ref"].rpartition("/")[2], {})
        schema = found.get("content", {}).get("application/json", {}).get("schema")
        self._check(f"answer {status} {route}", schema, body)

    def _check(self, what: str, schema: Json | None, body: Any) -> None:
        if schema is None:
            return
        key = (what, json.dumps(schema, sort_keys=True))
        if key not in self._validators:
            self._validators[key] = self._make(schema | {"components": {"schemas": self._schemas}})
        self.checked += 1
        for error in self._validators[key].iter_errors(body):
            place = "/".join(str(part) for part in error.instance_path)
            self.violations.append(f"{what}: {place}: {error.message[:200]}")


Parts = tuple[Json, Json, dict[str, Json], dict[tuple[str, str], Any]]


@functools.cache
def _read(path: Path, _changed_at: float) -> Parts:
    """Schemas, responses, operations by route, and the validators made so far: large, so all playgrounds of a process
    share them."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    schemas: Json = whole["components"]["schemas"]
    schemas["SnowflakeType"] = {"type": ["string", "integer"]}
    operations = {
        f"{method.upper()} {_normal(template)}": operation
        for template, routes in whole["paths"].items()
        for method, operation in routes.items()
        if method in ("get", "put", "post", "patch", "delete")
    }
    return schemas, whole["components"].get("responses", {}), operations, {}


def _normal(route: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", route)
