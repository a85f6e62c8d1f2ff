"""Ballots: what members said on a trial, and what all closed trials come to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.rules.blind_poll import CHOICES, Ballot
from bot.rules.listening.judgements import Design, Judgement, Reason, Share
from bot.store.connection import Store
from bot.store.polls.series import WITHDRAWN

GONE = "I don't have this poll any more."
CALLED_OFF = "This poll was called off."
CLOSED = "This poll has closed, so votes can't be given or changed any more."
STARTED = "You started this poll, so you can't vote in it."
NO_MORE_VOTES = f"{WITHDRAWN} Votes on it can't be given or changed any more."
OWN_CLIP = "You played or handed in one of these clips, so you can't vote on them."
SEVERAL = "You can choose at most {most} here."


@dataclass(frozen=True, slots=True)
class Change:
    """What a press changes; None: stays as it is."""

    choice: str | None = None
    confidence: int | None = None
    knows: bool | None = None
    reasons: tuple[Reason, ...] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a member has said now, and had said before (None: nothing), and about which trial."""

    before: Ballot | None
    ballot: Ballot
    trial: int
    series: int
    design: str
    options: str
    closes_at: float | None


async def put(
    store: Store,
    trial: int,
    discord_id: int,
    change: Change,
    now: float,
    *,
    message_id: int | None = None,
    names: Collection[str] = (),
    simulated: bool = False,
) -> Stored:
    """Give or change a ballot; returns once it is committed.

    `message_id`: the public message whose button was pressed; where the bot was stopped before it could note that, it
    is noted now. `names`: what the member is called, for those who played a clip. `simulated`: a member of the
    playground's made-up class. Raises Refused after the close and
    for whoever has a hand in the trial, and sqlite3.OperationalError where nothing can be written now."""
    called = {name.strip().casefold() for name in names if name.strip()}
    return await store.urgent.run(lambda db: _put(db, trial, discord_id, change, now, message_id, called, simulated))


def _put(
    db: sqlite3.Connection,
    trial: int,
    discord_id: int,
    change: Change,
    now: float,
    message_id: int | None,
    names: set[str],
    simulated: bool,
) -> Stored:
    row = db.execute(
        "SELECT series, design, options, most_choices, message_id, started_by, closes_at, closed_at, voided,"
        " withdrawn_at,"
        " (SELECT added_by FROM clips WHERE clips.id = human_clip) AS added_by,"
        " (SELECT performer FROM clips WHERE clips.id = human_clip AND kind IN ('midi', 'audio')) AS performer"
        " FROM trials JOIN series ON series.id = trials.series WHERE trials.id = ?",
        (trial,),
    ).fetchone()
    if row is None:
        raise Refused(GONE)
    if row["voided"]:
        raise Refused(CALLED_OFF)
    if row["closed_at"] is not None or (row["closes_at"] is not None and now >= row["closes_at"]):
        raise Refused(CLOSED)
    if row["withdrawn_at"] is not None:
        raise Refused(NO_MORE_VOTES)
    _check_choice(change.choice, row)
    db.execute(
        "INSERT INTO members (discord_id, first_seen_at) VALUES (?, ?) ON CONFLICT (discord_id) DO NOTHING",
        (discord_id, now),
    )
    member = db.execute("SELECT id FROM members WHERE discord_id = ?", (discord_id,)).fetchone()["id"]
    if row["design"] != "question":
        if member == row["started_by"]:
            raise Refused(STARTED)
        if member == row["added_by"] or (row["performer"] or "").strip().casefold() in names:
            raise Refused(OWN_CLIP)
    if row["message_id"] is None and message_id is not None:
        db.execute(
            "UPDATE trials SET message_id = ?, shown_at = coalesce(shown_at, ?) WHERE id = ?", (message_id, now, trial)
        )
    mine = db.execute(
        "SELECT choice, confidence, knows, reasons FROM ballots WHERE trial = ? AND member = ?", (trial, member)
    ).fetchone()
    before = None if mine is None else _ballot(mine)
    after = _changed(before or Ballot(), change)
    db.execute(
        "INSERT INTO ballots (trial, member, choice, confidence, knows, reasons, voted_at, simulated)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (trial, member) DO UPDATE"
        " SET choice = ?3, confidence = ?4, knows = ?5, reasons = ?6, voted_at = ?7",
        (trial, member, after.choice or None, after.confidence, after.knows, ",".join(after.reasons), now, simulated),
    )
    return Stored(before, after, trial, row["series"], row["design"], row["options"], row["closes_at"])


def _check_choice(choice: str | None, row: sqlite3.Row) -> None:
    """Raises Refused for what this trial can't be answered with: an old message, or a button made by hand."""
    if not choice:
        return
    if row["design"] == "question":
        places = choice.split(",")
        if len(places) > row["most_choices"]:
            raise Refused(SEVERAL.format(most=row["most_choices"]))
        if not {str(place) for place in range(len(json.loads(row["options"])))}.issuperset(places) or len(
            set(places)
        ) < len(places):
            raise Refused(GONE)
    elif choice not in CHOICES[Design(row["design"])]:
        raise Refused(GONE)


def _changed(ballot: Ballot, change: Change) -> Ballot:
    if change.choice is not None:
        # a confidence was said about the other choice: it doesn't pass on to this one
        confidence = ballot.confidence if change.choice == ballot.choice else None
        ballot = replace(ballot, choice=change.choice, confidence=confidence)
    if change.confidence is not None:
        ballot = replace(ballot, confidence=change.confidence)
    if change.knows is not None:
        ballot = replace(ballot, knows=change.knows)
    if change.reasons is not None:
        ballot = replace(ballot, reasons=change.reasons)
    return ballot


async def of_trial(store: Store, trial: int) -> list[Ballot]:
    """Those of people: a simulated class counts nowhere."""
    rows = await store.fetch_all(
        "SELECT choice, confidence, knows, reasons FROM ballots WHERE trial = ? AND simulated = 0", (trial,)
    )
    return [_ballot(row) for row in rows]


async def voters_by_choice(store: Store, trial: int) -> list[tuple[int | None, Ballot]]:
    """Discord ids with what they said; None: a former member. For an open question, after its close."""
    rows = await store.fetch_all(
        "SELECT discord_id, choice, confidence, knows, reasons FROM ballots JOIN members ON members.id = ballots.member"
        " WHERE trial = ? AND simulated = 0 ORDER BY voted_at",
        (trial,),
    )
    return [(row["discord_id"], _ballot(row)) for row in rows]


async def voters(store: Store, series: int) -> dict[int, int]:
    """How many have chosen something, by trial: all that anybody may see before the close."""
    rows = await store.fetch_all(
        "SELECT trials.id AS trial, count(ballots.member) AS voters FROM trials"
        " LEFT JOIN ballots ON ballots.trial = trials.id AND choice IS NOT NULL WHERE series = ? GROUP BY trials.id",
        (series,),
    )
    return {int(row["trial"]): int(row["voters"]) for row in rows}


async def has_any(store: Store, series: int) -> bool:
    return (
        await store.fetch_one(
            "SELECT 1 FROM ballots JOIN trials ON trials.id = ballots.trial WHERE series = ? LIMIT 1", (series,)
        )
        is not None
    )


async def typical_voters(store: Store, guild_id: int) -> int | None:
    """How many people's votes a trial of this server's latest closed series had on average; None before the first."""
    row = await store.fetch_one(
        "SELECT avg(voters) AS voters FROM (SELECT count(ballots.member) AS voters FROM trials"
        " JOIN series ON series.id = trials.series"
        " LEFT JOIN ballots ON ballots.trial = trials.id AND choice IS NOT NULL AND simulated = 0"
        " WHERE guild_id = ? AND series.kind = 'listening' AND closed_at IS NOT NULL AND voided = 0"
        " GROUP BY trials.id ORDER BY trials.id DESC LIMIT 12)",
        (guild_id,),
    )
    return None if row is None or not row["voters"] else max(1, round(row["voters"]))


async def missed_catches(store: Store, series: int) -> int:
    """How many listeners were wrong on a catch trial of a series: they didn't listen, and are left out of it."""
    row = await store.fetch_one(
        "SELECT count(DISTINCT member) AS missed FROM ballots JOIN trials ON trials.id = ballots.trial"
        " WHERE series = ? AND is_catch = 1 AND choice <> answer AND simulated = 0",
        (series,),
    )
    return 0 if row is None else int(row["missed"])


async def of_simulated(store: Store, series: int) -> Share:
    """How many votes of a simulated class on a series were right."""
    row = await store.fetch_one(
        "SELECT count(choice) AS votes, coalesce(sum(choice = answer), 0) AS right_votes FROM ballots"
        " JOIN trials ON trials.id = ballots.trial WHERE series = ? AND simulated = 1 AND is_catch = 0",
        (series,),
    )
    return Share() if row is None else Share(int(row["right_votes"]), int(row["votes"]))


async def judgements(
    store: Store, guild_id: int, *, discord_id: int | None = None, series: int | None = None
) -> list[Judgement]:
    """The votes of closed series that count in the statistics; of one member, or of one series, if given.

    Left out: who knows the piece, catch trials and who missed one, and series of recordings unless asked for by
    number."""
    rows = await store.fetch_all(
        "SELECT ballots.member, trials.id AS trial, trials.design, answer, choice, confidence, reasons,"
        " series.id AS series,"
        " CASE WHEN trials.design = 'single' AND answer = 'ai' THEN ai_clip ELSE human_clip END AS clip,"
        " model.model_version, closed_at, listeners.member IS NOT NULL AS has_said,"
        " listeners.instrument <> '' AND coalesce(listeners.years, 1) >= 1 AS plays"
        " FROM ballots JOIN trials ON trials.id = ballots.trial JOIN series ON series.id = trials.series"
        " JOIN members ON members.id = ballots.member JOIN clips AS model ON model.id = ai_clip"
        " LEFT JOIN listeners ON listeners.member = ballots.member"
        " WHERE series.guild_id = ?1 AND closed_at IS NOT NULL AND voided = 0 AND choice IS NOT NULL AND knows = 0"
        " AND series.kind = 'listening' AND is_catch = 0 AND simulated = 0"
        " AND (?2 IS NULL OR discord_id = ?2) AND (series.id = ?3 OR ?3 IS NULL AND recordings = 0)"
        " AND NOT EXISTS (SELECT 1 FROM ballots AS missed JOIN trials AS caught ON caught.id = missed.trial"
        "   WHERE missed.member = ballots.member AND caught.series = series.id AND caught.is_catch = 1"
        "   AND missed.choice <> caught.answer)"
        " ORDER BY closed_at, trials.number, ballots.member",
        (guild_id, discord_id, series),
    )
    return [_judgement(row) for row in rows]


def _judgement(row: sqlite3.Row) -> Judgement:
    human = CHOICES[Design(row["design"])][0] if row["design"] == "pair" else "human"
    return Judgement(
        listener=int(row["member"]),
        trial=int(row["trial"]),
        clip=int(row["clip"]),
        design=Design(row["design"]),
        is_human=row["answer"] == human,
        called_human=row["choice"] == human,
        series=int(row["series"]),
        confidence=row["confidence"],
        reasons=_reasons(row["reasons"]),
        is_musician=bool(row["plays"]) if row["has_said"] else None,
        model_version=str(row["model_version"]),
        closed_at=float(row["closed_at"]),
    )


def _ballot(row: sqlite3.Row) -> Ballot:
    return Ballot(row["choice"] or "", row["confidence"], bool(row["knows"]), _reasons(row["reasons"]))


def _reasons(text: str) -> tuple[Reason, ...]:
    return tuple(Reason(tag) for tag in text.split(",") if tag)


def chosen_options(ballots: Sequence[Ballot], options: int) -> list[int]:
    """How often each option of a question was chosen."""
    counts = [0] * options
    for ballot in ballots:
        for place in ballot.choice.split(",") if ballot.choice else ():
            counts[int(place)] += 1
    return counts
