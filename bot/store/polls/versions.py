"""How often each version of the model was taken for the human, trial by trial, on all servers together."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.connection import Store


async def fooled(store: Store, versions: Sequence[str]) -> dict[str, list[float]]:
    """For each version and closed trial in which its clip was heard: the share of votes that took it for the human.

    The votes are those that count in the statistics: of people, who don't know the piece and missed no catch trial, on
    matched series of scores."""
    rows = await store.fetch_all(
        "SELECT model.model_version AS version, avg(choice <> answer) AS share"
        " FROM ballots JOIN trials ON trials.id = ballots.trial JOIN series ON series.id = trials.series"
        " JOIN clips AS model ON model.id = ai_clip"
        " WHERE closed_at IS NOT NULL AND voided = 0 AND series.kind = 'listening' AND recordings = 0 AND matched = 1"
        " AND is_catch = 0 AND answer <> 'human' AND choice IS NOT NULL AND knows = 0 AND simulated = 0"
        " AND NOT EXISTS (SELECT 1 FROM ballots AS missed JOIN trials AS caught ON caught.id = missed.trial"
        "   WHERE missed.member = ballots.member AND caught.series = series.id AND caught.is_catch = 1"
        "   AND missed.choice <> caught.answer)"
        " GROUP BY trials.id ORDER BY trials.id"
    )
    found: dict[str, list[float]] = {version: [] for version in versions}
    for row in rows:
        if row["version"] in found:
            found[row["version"]].append(float(row["share"]))
    return found
