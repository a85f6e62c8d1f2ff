"""The version that plays: the engine's own, until the votes make the candidate the champion."""

from __future__ import annotations

from dataclasses import replace

from bot.library import contest
from bot.rules.blind_poll import Choice
from bot.rules.model_race import FEWEST_TRIALS
from bot.store import Store
from bot.store.polls import ballots, beginning, series
from bot.store.polls.ballots import Change
from bot.store.polls.beginning import NewSeries, PreparedTrial
from engine.contract import engine_pb2 as pb
from tests.bot.store.collection import CHANNEL, CONDITIONS, GRACE, GUILD, SALT, drawn, human_clip, model_clip

OPTIONS = pb.ListJazzOptionsReply(model_versions=["old", "new"])


async def vote(store: Store, version: str, choice: Choice, trials: int, *, simulated: bool = False) -> None:
    """A closed series of pairs in which one member votes the same each time; A is the human."""
    prepared = []
    for n in range(trials):
        model = replace(model_clip(f"{version}-{choice}-{n}"), conditions=replace(CONDITIONS, model_version=version))
        prepared.append(PreparedTrial(drawn(Choice.A), human_clip(), b"human", model, b"model"))
    recorded = await beginning.record(store, NewSeries(GUILD, CHANNEL, GRACE, 1e9), prepared, SALT, 5.0)
    for trial in await series.trials(store, recorded.id):
        await series.set_shown(store, trial.id, 100 + trial.id, 6.0)
        await ballots.put(store, trial.id, 7, Change(choice=choice), 7.0, simulated=simulated)
    await series.close(store, recorded.id, 8.0)


async def test_the_engines_own_version_plays_until_the_votes_decide(store: Store) -> None:
    assert await contest.versions(OPTIONS, store) == ["old", "new"]
    await vote(store, "old", Choice.A, FEWEST_TRIALS)
    await vote(store, "new", Choice.B, FEWEST_TRIALS)
    standing = await contest.standing(OPTIONS, store)
    assert standing is not None
    assert (standing.champion.share, standing.candidate.share) == (0.0, 1.0)
    assert await contest.versions(OPTIONS, store) == ["new", "old"]
    assert await contest.versions(OPTIONS, store) == ["new", "old"], "they don't change back"
    later = await contest.standing(OPTIONS, store)
    assert later is not None
    assert (standing.taken_over, later.taken_over) == (False, True)


async def test_simulated_votes_decide_nothing(store: Store) -> None:
    await vote(store, "old", Choice.A, FEWEST_TRIALS, simulated=True)
    await vote(store, "new", Choice.B, FEWEST_TRIALS, simulated=True)
    assert await contest.versions(OPTIONS, store) == ["old", "new"]


async def test_a_champion_that_the_engine_no_longer_has_is_forgotten(store: Store) -> None:
    await vote(store, "old", Choice.A, FEWEST_TRIALS)
    await vote(store, "new", Choice.B, FEWEST_TRIALS)
    await contest.versions(OPTIONS, store)
    assert await contest.versions(pb.ListJazzOptionsReply(model_versions=["old"]), store) == ["old"]
    assert await contest.standing(pb.ListJazzOptionsReply(model_versions=["old"]), store) is None
