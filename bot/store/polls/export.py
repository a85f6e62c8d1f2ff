"""The closed series of a server as files: a table, a small database, a dictionary, plans and verdicts."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import hashlib
import hmac
import io
import json
import math
import secrets
import sqlite3
from contextlib import closing
from typing import Any

from bot.rules.listening.summary import Summary
from bot.store import meta
from bot.store.connection import Store
from bot.tables import cell

_VOTES = (
    "SELECT members.id AS voter, series.id AS series, trials.number AS trial, trials.design, trials.is_catch AS catch,"
    " choice, answer, choice = answer AS right, confidence, knows, reasons, voted_at, simulated,"
    " listeners.instrument, listeners.years, listeners.hearing_aid"
    " FROM ballots JOIN trials ON trials.id = ballots.trial JOIN series ON series.id = trials.series"
    " JOIN members ON members.id = ballots.member LEFT JOIN listeners ON listeners.member = members.id"
    " WHERE guild_id = ?1 AND (?2 IS NULL OR series.id = ?2) AND series.kind = 'listening' AND closed_at IS NOT NULL"
    " AND voided = 0 ORDER BY series.id, trials.number, members.id"
)
_TRIALS = (
    "SELECT series.id AS series, trials.number AS trial, trials.design, trials.is_catch AS catch, answer,"
    " human.title AS human_title, human.kind AS human_kind, human.notated AS human_notated,"
    " human.year AS human_year, human.source AS human_source, model.model_version, model.seed AS model_seed,"
    " model.takes AS model_takes, band_seed, withdrawn_at,"
    " model.chords, model.bars, model.tempo_bpm, model.instrument, model.feel, model.beats_per_bar"
    " FROM trials JOIN series ON series.id = trials.series JOIN clips AS human ON human.id = human_clip"
    " JOIN clips AS model ON model.id = ai_clip"
    " WHERE series.guild_id = ?1 AND (?2 IS NULL OR series.id = ?2) AND closed_at IS NOT NULL AND voided = 0"
    " ORDER BY series.id, trials.number"
)
_SOLOS = (
    "SELECT series.id AS series, trials.number AS trial, sides.side,"
    " CASE sides.side WHEN 'human' THEN human_midi ELSE model_midi END AS midi"
    " FROM trials JOIN series ON series.id = trials.series"
    " JOIN (SELECT 'human' AS side UNION ALL SELECT 'model') AS sides"
    " WHERE guild_id = ?1 AND (?2 IS NULL OR series.id = ?2) AND closed_at IS NOT NULL AND voided = 0 AND is_catch = 0"
    " AND recordings = 0 AND midi IS NOT NULL ORDER BY series.id, trials.number, sides.side"
)
_SERIES = (
    "SELECT id AS series, title, pace, recordings, matched, seal, salt, plan, prepared_at, closes_at, closed_at,"
    " draw_seed FROM series WHERE guild_id = ?1 AND (?2 IS NULL OR id = ?2) AND kind = 'listening'"
    " AND closed_at IS NOT NULL AND voided = 0 ORDER BY id"
)

DICTIONARY = """# What the columns mean

Times are seconds since 1970, UTC. An empty cell means: not said, or not known.

## votes: one row for each ballot
| column | meaning |
|---|---|
| voter | pseudonym of a listener; it differs from export to export unless same names were asked for |
| series, trial | number of the series, and of the trial in it |
| design | pair: which of A and B is the human? single: human or ai? |
| catch | 1: a catch trial (a solo beside itself with its pitches shuffled); it counts in no figure |
| choice, answer | what was voted, and what was right: A, B, human, ai |
| right | 1 where they agree |
| confidence | in percent, 50 to 100 |
| knows | 1: the listener knows the piece; left out of the figures |
| reasons | what the listener went by: timing, notes, sound, form, feeling |
| voted_at | time of the last change |
| simulated | 1: of a made-up class; it counts in no figure |
| instrument, years, hearing_aid | what the listener said of themselves |

## trials: one row for each trial
The human's clip (title, kind, whether it is notated rather than played, year, source), the model's version, seed and
number of takes (lines that its critic chose from), the band's seed, and the conditions under which both were played.
`withdrawn_at`: when the human's clip was removed while the series was open; from then on nobody could vote on it.

## solos (in the database alone): one row for each side of a trial
What it played, as a MIDI file with the band: `side` is human or model. A network can learn from it
(`python -m engine train jazz --votes votes.csv`). A clip that was removed, and a recording, have none.

## series: one row for each series
`seal` was published before the first vote: it is the SHA-256 of `1=ANSWER 2=ANSWER ... salt=SALT`, the answers in the
trials' order. `plan` is JSON: hypothesis, margin, and the forecast of before the first vote. `recordings` 1: uploaded
recordings, in no statistics. `matched` 0: the model played under conditions of its own.

## Which votes count
Those with a choice that aren't simulated, whose listener doesn't know the piece, on trials that aren't catches, of
listeners who missed no catch trial of the series. From them every number of a reveal can be recomputed.
"""


async def export_files(
    store: Store, guild_id: int, series: int | None, summary: Summary, *, same_names: bool
) -> dict[str, bytes]:
    """File names with contents. Nobody's Discord id is in them."""
    key = secrets.token_bytes(32)
    if same_names:
        secret = await meta.member_secret(store)
        key = hmac.new(secret, f"export:{guild_id}".encode(), hashlib.sha256).digest()
    tables = {
        name: [dict(row) for row in await store.fetch_all(sql, (guild_id, series))]
        for name, sql in (("votes", _VOTES), ("trials", _TRIALS), ("series", _SERIES), ("solos", _SOLOS))
    }
    for row in tables["votes"]:
        row["voter"] = _pseudonym(key, row["voter"])
    tables["votes"].sort(key=lambda row: (row["series"], row["trial"], row["voter"]))
    return await asyncio.to_thread(_files, tables, summary)


def _pseudonym(key: bytes, member: int) -> str:
    return hmac.new(key, str(member).encode(), hashlib.sha256).hexdigest()[:12]


def _files(tables: dict[str, list[dict[str, Any]]], summary: Summary) -> dict[str, bytes]:
    plans = [
        {"series": row["series"], "title": row["title"], "plan": json.loads(row["plan"])} for row in tables["series"]
    ]
    verdict = {"series": plans, "summary": _finite(dataclasses.asdict(summary))}
    return {
        "votes.csv": _csv(tables["votes"]),
        "listening.sqlite3": _database(tables),
        "verdict.json": json.dumps(verdict, indent=2, ensure_ascii=False).encode(),
        "dictionary.md": DICTIONARY.encode(),
    }


def _finite(value: Any) -> Any:
    """JSON has no infinity: None in its place."""
    match value:
        case dict():
            return {name: _finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
    return value


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["voter"])
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _database(tables: dict[str, list[dict[str, Any]]]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, rows in tables.items():
            if not rows:
                continue
            columns = ", ".join(f'"{column}"' for column in rows[0])
            connection.execute(f"CREATE TABLE {name} ({columns})")
            places = ", ".join("?" for _ in rows[0])
            connection.executemany(f"INSERT INTO {name} VALUES ({places})", [tuple(row.values()) for row in rows])
        connection.commit()
        return connection.serialize()
