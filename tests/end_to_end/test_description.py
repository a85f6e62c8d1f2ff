"""Says aloud whether these tests hold what their houses send against Discord's own description."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.house import OPENAPI


@pytest.mark.skipif(
    not OPENAPI.is_file(), reason="Discord's description isn't beside this checkout: no house is held against it"
)
def test_houses_are_held_against_discords_description() -> None:
    described = json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]
    assert {"/channels/{channel_id}/messages", "/interactions/{interaction_id}/{interaction_token}/callback"} <= set(
        described
    )
