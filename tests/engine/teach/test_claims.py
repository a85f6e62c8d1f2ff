"""What cards claim in words, and don't show in their snippet, is true of the torch that is installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine.teach.deck import load_deck
from engine.teach.snippets import run_snippet

CLAIMS = tomllib.loads((Path(__file__).parent / "claims.toml").read_text(encoding="utf-8"))["claim"]
CARDS = {card.id: card for card in load_deck()}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim['card']}: {claim['says'][:40]}")
def test_a_claim_in_words_is_true_of_torch(claim: dict[str, str]) -> None:
    assert claim["says"] in CARDS[claim["card"]].text, "the card says something else by now"
    assert run_snippet(claim["prove"]).splitlines() == ["True"]
