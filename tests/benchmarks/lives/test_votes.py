"""A class votes over the wire while the bot is killed (SIGKILL), and all at once. `make bench` does it a hundred times,
and with 500 members beside the real engine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.lives.host import open_host
from benchmarks.lives.lesson import vote
from benchmarks.lives.voters import Press, Voters, open_series
from benchmarks.lives.votes import MEMBERS, one_series


@pytest.mark.parametrize("seed", range(5))
async def test_no_confirmed_vote_is_lost_and_every_deadline_kept_when_the_bot_is_killed(
    tmp_path: Path, seed: int
) -> None:
    async with open_host(tmp_path) as host:
        voters = Voters(host, MEMBERS)
        assert await one_series(host, voters, random.Random(seed)) == []
        assert voters.confirmed()
        assert host.lives == 2


async def test_a_whole_class_votes_at_once_and_every_press_is_confirmed_and_stored(tmp_path: Path) -> None:
    async with open_host(tmp_path) as host:
        voters = Voters(host, 40)
        _, trials = await open_series(host, 3)
        waits = await vote(host, voters, trials, 1.0, random.Random(0))
        assert None not in waits
        assert len(waits) == 120
        assert voters.broken_promises() == []
        assert host.rows("SELECT count(*) FROM ballots WHERE choice IS NOT NULL") == [(120,)]
        host.kill()
        voters.presses["0", 1] = [Press("A", 0.0, 1.0)]
        assert voters.broken_promises() == ["0 on 1: told A, None"], "what isn't there is found out"
